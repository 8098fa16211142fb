// The entries of a transaction (Tx.entries) as places in the answer: where a whole database is hashed, an object and a
// few views for each entry would cost as much as a hash.
import { ProofFailure } from '../../proof/failure.js';
import { encodeKVMetadata } from '../../proof/metadata.js';
import type { KVMetadata } from '../../proof/types.js';
import { TX_ENTRIES, type LazyTx } from './answers.js';
import { readKVMetadata } from './headers.js';
import { onlyOnce, type WireReader } from './reader.js';

/** Numbers kept of an entry: where key, value hash and value are. */
const KEY = 0;
const KEY_END = 1;
const H_VALUE = 2;
const VALUE = 3;
const VALUE_END = 4;
const WIDTH = 5;
const NONE = -1;

/** Attributes of an entry, and the canonical bytes that its digest covers. */
export interface EntryAttributes {
  readonly metadata: KVMetadata;
  readonly bytes: Uint8Array;
}

/** Entries of one transaction at a time; what was read before is overwritten. All places are in the answer's bytes. */
export class EntryColumns {
  count = 0;
  #places = new Int32Array(WIDTH * 1024);
  readonly #attributes = new Map<number, EntryAttributes>();

  /** Reads all entries in order. Throws when there are more than the header says, before anything is allocated. */
  read(tx: LazyTx): void {
    const { entryCount, header } = tx;
    if (entryCount > header.nentries) {
      const detail = 'Tx.entries: more than the header says';
      throw new ProofFailure('wire.bound', detail, header.nentries, entryCount);
    }
    if (this.#places.length < WIDTH * entryCount) this.#places = new Int32Array(WIDTH * entryCount);
    this.#attributes.clear();
    this.count = 0;
    const reader = tx.message;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === TX_ENTRIES) this.#readEntry(reader);
      else reader.skip();
    }
  }

  key(entry: number): number {
    return this.#places[WIDTH * entry + KEY] as number;
  }

  keyEnd(entry: number): number {
    return this.#places[WIDTH * entry + KEY_END] as number;
  }

  /** Where the 32 bytes of the value's hash are. */
  hValue(entry: number): number {
    return this.#places[WIDTH * entry + H_VALUE] as number;
  }

  /** An empty value is not on the wire: it is at 0 then, as is one that was not sent. */
  value(entry: number): number {
    return this.#places[WIDTH * entry + VALUE] as number;
  }

  valueEnd(entry: number): number {
    return this.#places[WIDTH * entry + VALUE_END] as number;
  }

  attributes(entry: number): EntryAttributes | undefined {
    return this.#attributes.size === 0 ? undefined : this.#attributes.get(entry);
  }

  #readEntry(reader: WireReader): void {
    const outer = reader.enter('Tx.entries');
    let key = 0;
    let keyEnd = 0;
    let hValue = NONE;
    let value = 0;
    let valueEnd = 0;
    let metadata: WireReader | undefined;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) {
        key = reader.span('TxEntry.key');
        keyEnd = reader.at;
      } else if (field === 2) hValue = reader.digestSpan('TxEntry.hValue');
      else if (field === 4) {
        onlyOnce(metadata, 'TxEntry.metadata');
        metadata = reader.message('TxEntry.metadata');
        this.#readMetadata(metadata);
      } else if (field === 5) {
        value = reader.span('TxEntry.value');
        valueEnd = reader.at;
      } else reader.skip();
    }
    reader.leave(outer);
    if (hValue === NONE) {
      throw new ProofFailure('wire.digest', 'TxEntry.hValue: a digest has 32 bytes', 32, 0);
    }
    const at = WIDTH * this.count++;
    const places = this.#places;
    places[at + KEY] = key;
    places[at + KEY_END] = keyEnd;
    places[at + H_VALUE] = hValue;
    places[at + VALUE] = value;
    places[at + VALUE_END] = valueEnd;
  }

  #readMetadata(reader: WireReader): void {
    const metadata = readKVMetadata(reader);
    if (metadata) this.#attributes.set(this.count, { metadata, bytes: encodeKVMetadata(metadata) });
  }
}
