// The forms of writes: Set, Delete and ExecAll, whose requests hold the entries of many callers, and SetReference and ZAdd for those
// that go alone.
import { keyName } from '../../verify/key-name.js';
import {
  readDeleteRequest,
  readExecAllRequest,
  readReferenceRequest,
  readSetRequest,
  readZAddRequest,
} from '../../verify/wire/requests.js';
import type {
  SentEntry,
  SentMember,
  SentOp,
  SentReference,
  SentVersion,
} from '../../verify/wire/requests.js';
import {
  storedDeletion,
  storedEntry,
  storedMember,
  storedOp,
  storedReference,
} from '../../verify/writings/stored.js';
import type { RequestEncoder } from './request-encoder.js';
import type { Ending, WriteForm } from './write-form.js';

const FIRST = 0x0a;
const OP_KV = 0x0a;
const OP_Z_ADD = 0x12;
const OP_REFERENCE = 0x1a;

/** How the names of set members begin: no byte of a key is this character, so no key has such a name. */
const MEMBER = '\u0100';

export const SET: WriteForm<SentEntry> = {
  method: 'Set',
  conditionTag: 0x1a,
  noWaitTag: 0x10,
  encode: (request, entry) => request.entry(FIRST, entry),
  read: readSetRequest,
  nameOf: ({ key }) => keyName(key),
  endingOf: entryEnding,
  storedIn: storedEntry,
};

export const DELETE: WriteForm<Uint8Array> = {
  method: 'Delete',
  noWaitTag: 0x18,
  encode: (request, key) => request.bytes(FIRST, key),
  read: readDeleteRequest,
  nameOf: keyName,
  endingOf: () => 'deleted',
  storedIn: storedDeletion,
};

export const EXEC_ALL: WriteForm<SentOp> = {
  method: 'ExecAll',
  conditionTag: 0x1a,
  noWaitTag: 0x10,
  encode(request, op) {
    const outer = request.open(FIRST);
    if ('set' in op) request.entry(OP_KV, op.set);
    else if ('reference' in op) {
      const inner = request.open(OP_REFERENCE);
      encodeReference(request, op.reference);
      request.close(inner);
    } else {
      const inner = request.open(OP_Z_ADD);
      encodeMember(request, op.zAdd);
      request.close(inner);
    }
    request.close(outer);
  },
  read: readExecAllRequest,
  nameOf(op) {
    if ('set' in op) return keyName(op.set.key);
    return 'reference' in op ? keyName(op.reference.key) : memberName(op.zAdd);
  },
  targetOf(op) {
    if ('set' in op) return undefined;
    return keyName('reference' in op ? op.reference.to : op.zAdd.key);
  },
  endingOf(op) {
    if ('set' in op) return entryEnding(op.set);
    return 'zAdd' in op ? 'unread' : undefined;
  },
  storedIn: storedOp,
};

export const SET_REFERENCE: WriteForm<SentReference> = {
  method: 'SetReference',
  conditionTag: 0x32,
  noWaitTag: 0x28,
  encode: encodeReference,
  read: (request) => [readReferenceRequest(request)],
  nameOf: ({ key }) => keyName(key),
  storedIn: storedReference,
};

export const Z_ADD: WriteForm<SentMember> = {
  method: 'ZAdd',
  noWaitTag: 0x30,
  encode: encodeMember,
  read: (request) => [readZAddRequest(request)],
  nameOf: memberName,
  endingOf: () => 'unread',
  storedIn: storedMember,
};

function entryEnding({ metadata }: SentEntry): Ending | undefined {
  if (metadata === undefined) return undefined;
  return metadata.nonIndexable === true ? 'unread' : metadata.expiresAt;
}

/** As the server tells two of them apart: without their scores. */
function memberName({ set, key, atTx }: SentMember): string {
  return `${MEMBER}${keyName(set)}${keyName(key)}${String(atTx)}`;
}

function encodeReference(request: RequestEncoder, { key, to, atTx }: SentReference): void {
  request.bytes(0x0a, key);
  request.bytes(0x12, to);
  encodeVersion(request, atTx, 0x18, 0x20);
}

/** The score is written also where it is 0: some readers take what is absent for another zero. */
function encodeMember(request: RequestEncoder, { set, score, key, atTx }: SentMember): void {
  request.bytes(0x0a, set);
  request.double(0x11, score);
  request.bytes(0x1a, key);
  encodeVersion(request, atTx, 0x20, 0x28);
}

function encodeVersion(request: RequestEncoder, atTx: SentVersion, tag: number, boundTag: number): void {
  if (atTx === 0n) return;
  if (atTx !== 'thisTx') request.id(tag, atTx);
  request.flag(boundTag);
}
