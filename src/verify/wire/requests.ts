// Decoding of our own requests to write: what a write is held against is the bytes that were sent. A field that is not read here
// would be sent but not checked: it fails. What a request waits for, and what it depends on, is passed over: no tx records it.
import { ProofFailure } from '../../proof/failure.js';
import type { KVMetadata } from '../../proof/types.js';
import { readKVMetadata } from './headers.js';
import { WireReader, onlyOnce, present } from './reader.js';

export interface SentEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

/** Which version of its key a reference, or a member of a set, is bound to: 0 to none, `thisTx` to the one that it is written with. */
export type SentVersion = bigint | 'thisTx';

export interface SentReference {
  readonly key: Uint8Array;
  readonly to: Uint8Array;
  readonly atTx: SentVersion;
}

/** A key that is put into a sorted set. */
export interface SentMember {
  readonly set: Uint8Array;
  readonly score: number;
  readonly key: Uint8Array;
  readonly atTx: SentVersion;
}

/** One operation of an ExecAll. */
export type SentOp =
  { readonly set: SentEntry } | { readonly reference: SentReference } | { readonly zAdd: SentMember };

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Entries of a SetRequest in their order. */
export function readSetRequest(request: Uint8Array): SentEntry[] {
  const reader = new WireReader(request);
  const entries: SentEntry[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) entries.push(readKeyValue(reader.message('SetRequest.KVs')));
    else if (field === 2) reader.bool('SetRequest.noWait');
    else if (field === 3) reader.span('SetRequest.preconditions');
    else notChecked('SetRequest', field);
  }
  return entries;
}

/** Keys of a DeleteKeysRequest in their order. */
export function readDeleteRequest(request: Uint8Array): Uint8Array[] {
  const reader = new WireReader(request);
  const keys: Uint8Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) keys.push(reader.bytes('DeleteKeysRequest.keys'));
    else if (field === 2) reader.id('DeleteKeysRequest.sinceTx');
    else if (field === 3) reader.bool('DeleteKeysRequest.noWait');
    else notChecked('DeleteKeysRequest', field);
  }
  return keys;
}

/** Operations of an ExecAllRequest in their order. */
export function readExecAllRequest(request: Uint8Array): SentOp[] {
  const reader = new WireReader(request);
  const ops: SentOp[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) ops.push(readOp(reader.message('ExecAllRequest.Operations')));
    else if (field === 2) reader.bool('ExecAllRequest.noWait');
    else if (field === 3) reader.span('ExecAllRequest.preconditions');
    else notChecked('ExecAllRequest', field);
  }
  return ops;
}

export function readReferenceRequest(request: Uint8Array): SentReference {
  return readReference(new WireReader(request));
}

export function readZAddRequest(request: Uint8Array): SentMember {
  return readMember(new WireReader(request));
}

function readKeyValue(reader: WireReader): SentEntry {
  let key = NO_BYTES;
  let value = NO_BYTES;
  let metadata: KVMetadata | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.bytes('KeyValue.key');
    else if (field === 2) value = reader.bytes('KeyValue.value');
    else if (field === 3) {
      onlyOnce(metadata, 'KeyValue.metadata');
      metadata = readKVMetadata(reader.message('KeyValue.metadata'));
    } else notChecked('KeyValue', field);
  }
  return metadata ? { key, value, metadata } : { key, value };
}

function readOp(reader: WireReader): SentOp {
  let op: SentOp | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    onlyOnce(op, 'Op.operation');
    if (field === 1) op = { set: readKeyValue(reader.message('Op.kv')) };
    else if (field === 2) op = { zAdd: readMember(reader.message('Op.zAdd')) };
    else if (field === 3) op = { reference: readReference(reader.message('Op.ref')) };
    else notChecked('Op', field);
  }
  return present(op, 'Op.operation');
}

function readReference(reader: WireReader): SentReference {
  let key = NO_BYTES;
  let to = NO_BYTES;
  let atTx = 0n;
  let isBound = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.bytes('ReferenceRequest.key');
    else if (field === 2) to = reader.bytes('ReferenceRequest.referencedKey');
    else if (field === 3) atTx = reader.id('ReferenceRequest.atTx');
    else if (field === 4) isBound = reader.bool('ReferenceRequest.boundRef');
    else if (field === 5) reader.bool('ReferenceRequest.noWait');
    else if (field === 6) reader.span('ReferenceRequest.preconditions');
    else notChecked('ReferenceRequest', field);
  }
  return { key, to, atTx: versionOf(atTx, isBound) };
}

function readMember(reader: WireReader): SentMember {
  let set = NO_BYTES;
  let score = 0;
  let key = NO_BYTES;
  let atTx = 0n;
  let isBound = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) set = reader.bytes('ZAddRequest.set');
    else if (field === 2) score = reader.double('ZAddRequest.score');
    else if (field === 3) key = reader.bytes('ZAddRequest.key');
    else if (field === 4) atTx = reader.id('ZAddRequest.atTx');
    else if (field === 5) isBound = reader.bool('ZAddRequest.boundRef');
    else if (field === 6) reader.bool('ZAddRequest.noWait');
    else notChecked('ZAddRequest', field);
  }
  return { set, score, key, atTx: versionOf(atTx, isBound) };
}

/** Bound to no tx in particular is bound to its own. */
function versionOf(atTx: bigint, isBound: boolean): SentVersion {
  return isBound && atTx === 0n ? 'thisTx' : atTx;
}

export function notChecked(message: string, field: number): never {
  throw new ProofFailure('wire.request', `${message}: a field that is not checked`, undefined, field);
}
