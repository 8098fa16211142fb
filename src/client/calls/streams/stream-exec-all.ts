// Sets of values that come in pieces, and additions to sorted sets, in one transaction by stream: plain and proven.
import { ArgumentError } from '../../../errors.js';
import { sortedSetKey } from '../../../proof/entry.js';
import { wireMethod } from '../../../wire/schema.js';
import type { Deadline } from '../../flow/deadline.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { knownNames, optionsObject } from '../../input/option-checks.js';
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { writeAlone } from '../../trust/write.js';
import type { VerifiedWrite } from '../../trust/write.js';
import type { Write } from '../kv/kv.js';
import { Parts, eachChecked } from './sources.js';
import type { Part, StreamEntry, WholePart } from './sources.js';
import { Upload, writtenBy } from './stream-set.js';

/** An addition to a sorted set. */
export interface StreamZAdd {
  readonly set: BytesInput;
  /** Any number but NaN. */
  readonly score: number;
  readonly key: BytesInput;
  /** The version of the key that is meant. @default whatever is latest when it is read */
  readonly atTx?: bigint;
}

/** One operation of a stream. References are no part of it: the server does not take them by stream. */
export type StreamOp = { readonly set: StreamEntry } | { readonly zAdd: StreamZAdd };

export type StreamOps = Iterable<StreamOp> | AsyncIterable<StreamOp>;

export async function streamExecAll(rpc: StreamRpc, ops: StreamOps, deadline: Deadline): Promise<Write> {
  const upload = await Upload.begin(partsOfOps(ops), deadline);
  const answer = await rpc.up('streamExecAll', deadline.left, (body) => upload.send(body));
  return writtenBy('streamExecAll', answer, upload.sent.length);
}

/** Proves that the transaction holds exactly what these operations are to store, in their order. */
export async function verifiedStreamExecAll(
  rpc: Rpc & StreamRpc,
  trust: DatabaseTrust,
  call: Call,
  ops: StreamOps,
): Promise<VerifiedWrite> {
  const upload = await Upload.begin(partsOfOps(ops), call.deadline);
  return writeAlone(rpc, trust, call, upload.writing, (options) =>
    rpc.up('streamExecAll', options, (body) => upload.send(body)),
  );
}

/** What an operation begins with. */
const SET = new Uint8Array([1]);
const Z_ADD = new Uint8Array([2]);

function partsOfOps(ops: StreamOps): AsyncGenerator<Part | WholePart, void, undefined> {
  const parts = new Parts('ops');
  return eachChecked(ops, 'ops', 'operations', (op, name) => partOfOp(parts, op, name));
}

function partOfOp(parts: Parts, op: StreamOp, name: string): Part | WholePart {
  optionsObject(name, op);
  if ('reference' in op)
    throw new ArgumentError(name, `${name} is a reference: the server does not take those by stream`);
  knownNames(name, op, ['set', 'zAdd']);
  if (Object.keys(op).length !== 1)
    throw new ArgumentError(name, `${name} must be one operation: { set } or { zAdd }`);
  if ('set' in op) return { ...parts.next(op.set, `${name}.set`), lead: SET };
  return parts.whole(memberOf(op.zAdd, `${name}.zAdd`), `${name}.zAdd`);
}

function memberOf(zAdd: StreamZAdd, name: string): WholePart {
  optionsObject(name, zAdd);
  knownNames(name, zAdd, ['set', 'score', 'key', 'atTx']);
  const set = toKey(zAdd.set, `${name}.set`);
  const key = toKey(zAdd.key, `${name}.key`);
  const { score, atTx } = zAdd;
  if (typeof score !== 'number' || Number.isNaN(score))
    throw new ArgumentError(`${name}.score`, `${name}.score must be a number that is one`);
  if (atTx !== undefined && (typeof atTx !== 'bigint' || atTx < 1n || BigInt.asIntN(64, atTx) !== atTx))
    throw new ArgumentError(`${name}.atTx`, `${name}.atTx must be a bigint from 1 to 2^63-1`);
  const request = { set, score, key, ...(atTx !== undefined && { atTx: atTx.toString(), boundRef: true }) };
  const message = new Uint8Array(wireMethod('ZAdd').requestSerialize(request));
  return { messages: [Z_ADD, message], rawKey: sortedSetKey(set, score, key, atTx ?? 0n) };
}
