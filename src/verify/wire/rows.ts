// Decoding of the answer about one row of SQL (message VerifiableSQLEntry): what it proves, and what it says of the table.
import { ProofFailure } from '../../proof/failure.js';
import { MAX_SQL_ID } from '../../proof/sql/types.js';
import type { InclusionProof, KVMetadata } from '../../proof/types.js';
import { readVerifiableTxFrom } from './answers.js';
import type { VerifiableTx } from './answers.js';
import { readKVMetadata } from './headers.js';
import { readInclusionProof } from './proofs.js';
import { WireReader, onlyOnce, present } from './reader.js';

/** The entry of a row as the answer shows it: covered by its proof. */
export interface ShownRow {
  readonly tx: bigint;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

export interface VerifiableRow {
  readonly entry: ShownRow;
  readonly verifiableTx: VerifiableTx;
  readonly inclusionProof: InclusionProof;
}

const NO_BYTES = new Uint8Array(0);

export function readVerifiableRow(answer: Uint8Array): VerifiableRow {
  const reader = new WireReader(answer);
  let entry: ShownRow | undefined;
  let verifiableTx: VerifiableTx | undefined;
  let inclusionProof: InclusionProof | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(entry, 'VerifiableSQLEntry.sqlEntry');
      entry = readSqlEntry(reader.message('VerifiableSQLEntry.sqlEntry'));
    } else if (field === 2) {
      onlyOnce(verifiableTx, 'VerifiableSQLEntry.verifiableTx');
      verifiableTx = readVerifiableTxFrom(reader.message('VerifiableSQLEntry.verifiableTx'));
    } else if (field === 3) {
      onlyOnce(inclusionProof, 'VerifiableSQLEntry.inclusionProof');
      inclusionProof = readInclusionProof(reader.message('VerifiableSQLEntry.inclusionProof'));
    } else reader.skip();
  }
  return {
    entry: present(entry, 'VerifiableSQLEntry.sqlEntry'),
    verifiableTx: present(verifiableTx, 'VerifiableSQLEntry.verifiableTx'),
    inclusionProof: present(inclusionProof, 'VerifiableSQLEntry.inclusionProof'),
  };
}

/** Its key is that of an index, and proves nothing. */
function readSqlEntry(reader: WireReader): ShownRow {
  let tx = 0n;
  let value: Uint8Array = NO_BYTES;
  let metadata: KVMetadata | undefined;
  let metadataMessage: WireReader | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tx = reader.id('SQLEntry.tx');
    else if (field === 3) value = reader.bytes('SQLEntry.value');
    else if (field === 4) {
      onlyOnce(metadataMessage, 'SQLEntry.metadata');
      metadataMessage = reader.message('SQLEntry.metadata');
      metadata = readKVMetadata(metadataMessage);
    } else reader.skip();
  }
  return { tx, value, ...(metadata && { metadata }) };
}

/** The server's word about the table of a row: no proof covers it. */
export interface ClaimedTable {
  readonly table: number;
  readonly names: ReadonlyMap<number, string>;
  readonly types: ReadonlyMap<number, string>;
  readonly lengths: ReadonlyMap<number, number>;
  readonly maxColumnId: number;
  readonly primaryKey: readonly number[];
}

/** Tables have fewer columns. */
const MAX_COLUMNS = 65_536;
const decoder = new TextDecoder();

/** Throws ProofFailure for what cannot be read, or says something twice. */
export function readClaimedTable(answer: Uint8Array): ClaimedTable {
  const reader = new WireReader(answer);
  const names = new Map<number, string>();
  const types = new Map<number, string>();
  const lengths = new Map<number, number>();
  const primaryKey: number[] = [];
  let [table, maxColumnId] = [0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 5) table = sqlId(reader.id('VerifiableSQLEntry.TableId'));
    else if (field === 8) put(names, reader, '', (each) => decoder.decode(each.bytes('ColNamesById.value')));
    else if (field === 10) put(types, reader, '', (each) => decoder.decode(each.bytes('ColTypesById.value')));
    else if (field === 11) put(lengths, reader, 0, (each) => each.count('ColLenById.value'));
    else if (field === 12) maxColumnId = sqlId(reader.id('VerifiableSQLEntry.MaxColId'));
    else if (field === 16) {
      for (const id of packedIds(reader.bytes('VerifiableSQLEntry.PKIDs'))) primaryKey.push(id);
      bounded(primaryKey.length);
    } else reader.skip();
  }
  return { table, names, types, lengths, maxColumnId, primaryKey };
}

function put<T>(map: Map<number, T>, reader: WireReader, empty: T, read: (entry: WireReader) => T): void {
  const entry = reader.message('VerifiableSQLEntry.columns');
  let key = 0;
  let value: T | undefined;
  for (let field = entry.next(); field !== 0; field = entry.next()) {
    if (field === 1) key = sqlId(entry.id('VerifiableSQLEntry.columns.key'));
    else if (field === 2) value = read(entry);
    else entry.skip();
  }
  if (map.has(key)) throw new ProofFailure('wire.repeated', 'a column is described twice', undefined, key);
  // One that is not there is the empty value: a length of 0.
  map.set(key, value ?? empty);
  bounded(map.size);
}

function sqlId(value: bigint): number {
  if (value > BigInt(MAX_SQL_ID)) throw new ProofFailure('wire.count', 'an id of 32 bits', undefined, value);
  return Number(value);
}

function bounded(count: number): void {
  if (count > MAX_COLUMNS) throw new ProofFailure('wire.bound', 'too many columns', MAX_COLUMNS, count);
}

/** Ids one after another, without tags between. */
function packedIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  let [value, scale] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    if (value > MAX_SQL_ID) throw new ProofFailure('wire.count', 'an id of 32 bits', undefined, value);
    scale *= 0x80;
    if (byte >= 0x80) continue;
    ids.push(value);
    [value, scale] = [0, 1];
  }
  if (scale !== 1) throw new ProofFailure('wire.truncated', 'a number is cut off');
  return ids;
}
