// Decoding of our own requests (message SetRequest): what a write is held against is the bytes that were sent.
import { ProofFailure } from '../../proof/failure.js';
import { WireReader } from './reader.js';

export interface SentEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Plain entries in their order. A field that this reader does not know would be sent but not checked: it fails. */
export function readSetRequest(request: Uint8Array): SentEntry[] {
  const reader = new WireReader(request);
  const entries: SentEntry[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) entries.push(readKeyValue(reader.message('SetRequest.KVs')));
    else if (field === 2) reader.bool('SetRequest.noWait');
    else throw new ProofFailure('wire.request', 'SetRequest: a field that is not checked', undefined, field);
  }
  return entries;
}

function readKeyValue(reader: WireReader): SentEntry {
  let key = NO_BYTES;
  let value = NO_BYTES;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.bytes('KeyValue.key');
    else if (field === 2) value = reader.bytes('KeyValue.value');
    else throw new ProofFailure('wire.request', 'KeyValue: a field that is not checked', undefined, field);
  }
  return { key, value };
}
