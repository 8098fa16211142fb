// The entries of a SetRequest, hashed where they lie in it: what readSetRequest reads, without an object for any of them.
import { FlatLeaves } from '../../proof/tree/flat-entries.js';
import type { KVMetadata } from '../../proof/types.js';
import { readKVMetadata } from './headers.js';
import { WireReader, onlyOnce } from './reader.js';
import { notChecked } from './requests.js';

/** Leaves of the entries tree of a tx of this header version that holds what the request sets, in order. */
export function setRequestLeaves(request: Uint8Array, headerVersion: number): FlatLeaves {
  const reader = new WireReader(request);
  const leaves = new FlatLeaves(headerVersion);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) addKeyValue(reader, request, leaves);
    else if (field === 2) reader.bool('SetRequest.noWait');
    else if (field === 3) reader.span('SetRequest.preconditions');
    else notChecked('SetRequest', field);
  }
  return leaves;
}

function addKeyValue(reader: WireReader, request: Uint8Array, leaves: FlatLeaves): void {
  const outer = reader.enter('SetRequest.KVs');
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let metadata: KVMetadata | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      keyStart = reader.span('KeyValue.key');
      keyEnd = reader.at;
    } else if (field === 2) {
      valueStart = reader.span('KeyValue.value');
      valueEnd = reader.at;
    } else if (field === 3) {
      onlyOnce(metadata, 'KeyValue.metadata');
      metadata = readKVMetadata(reader.message('KeyValue.metadata'));
    } else notChecked('KeyValue', field);
  }
  reader.leave(outer);
  leaves.add(request, keyStart, keyEnd, valueStart, valueEnd, metadata);
}
