// Reads a proof document of version 1 into the terms of the protocol. Whoever handed it over may have made it up: nothing is
// believed by being read, and what could be written in two ways is refused in all but one.
import { sha256 } from '../../proof/hash.js';
import type {
  DualProof,
  InclusionProof,
  KVMetadata,
  TxEntry,
  TxHeader,
  TxMetadata,
} from '../../proof/types.js';
import { MAX_LINEAR_TERMS, MAX_PATH_TERMS } from '../wire/proofs.js';
import {
  base64,
  count,
  digest,
  digests,
  fields,
  id,
  int64,
  list,
  optional,
  text,
  wrong,
  yes,
} from './fields.js';

/** An entry with its value, where the document has it. */
export interface ReadEntry extends TxEntry {
  readonly value?: Uint8Array;
  /** Absent: the document has all entries, in their order. */
  readonly place?: InclusionProof;
}

export interface ReadProof {
  readonly server: string;
  readonly database: string;
  readonly root: { readonly tx: bigint; readonly alh: Uint8Array; readonly signature?: Uint8Array };
  readonly header: TxHeader;
  readonly entries: readonly ReadEntry[];
  /** Absent: the header is the root's. */
  readonly dualProof?: DualProof;
}

const MAX_UINT32 = 0xffff_ffff;

/** Requires what `isProof` says yes to. Throws ProofFailure (`proof.form`). */
export function readProof(proof: unknown): ReadProof {
  const names = ['format', 'version', 'server', 'database', 'root', 'header', 'entries'];
  const document = fields('the proof', proof, names, ['dualProof']);
  const header = readHeader('header', document['header']);
  const root = readRoot(document['root']);
  const entries = list('entries', document['entries'], header.nentries, (name, each) =>
    readEntry(name, each, header.nentries),
  );
  const dualProof = optional(document['dualProof'], (each) => readDualProof(each, header));
  if ((dualProof === undefined) !== (header.id === root.tx))
    wrong('dualProof', 'must be there, unless the header is that of the root');
  return {
    server: text('server', document['server']),
    database: text('database', document['database']),
    root,
    header,
    entries,
    ...(dualProof && { dualProof }),
  };
}

function readRoot(value: unknown): ReadProof['root'] {
  const root = fields('root', value, ['tx', 'alh'], ['signature']);
  const signature = optional(root['signature'], (each) => base64('root.signature', each));
  return {
    tx: id('root.tx', root['tx']),
    alh: digest('root.alh', root['alh']),
    ...(signature && { signature }),
  };
}

function readHeader(name: string, value: unknown): TxHeader {
  const names = ['id', 'prevAlh', 'ts', 'version', 'nentries', 'eH', 'blTxId', 'blRoot'];
  const header = fields(name, value, names, ['metadata']);
  const metadata = optional(header['metadata'], (each) => readTxMetadata(`${name}.metadata`, each));
  return {
    id: id(`${name}.id`, header['id']),
    prevAlh: digest(`${name}.prevAlh`, header['prevAlh']),
    ts: int64(`${name}.ts`, header['ts']),
    version: count(`${name}.version`, header['version'], 1),
    ...(metadata && { metadata }),
    nentries: count(`${name}.nentries`, header['nentries'], MAX_UINT32),
    eH: digest(`${name}.eH`, header['eH']),
    blTxId: id(`${name}.blTxId`, header['blTxId']),
    blRoot: digest(`${name}.blRoot`, header['blRoot']),
  };
}

function readTxMetadata(name: string, value: unknown): TxMetadata {
  const metadata = fields(name, value, [], ['truncatedTxID', 'extra']);
  const truncatedTxId = optional(metadata['truncatedTxID'], (each) => id(`${name}.truncatedTxID`, each));
  const extra = optional(metadata['extra'], (each) => base64(`${name}.extra`, each));
  // No attribute, and one without content, hash like none: they are written as none.
  if ((truncatedTxId ?? 0n) === 0n && (extra?.length ?? 0) === 0)
    wrong(name, 'must not be there when it says nothing');
  if (truncatedTxId === 0n || extra?.length === 0) wrong(name, 'has an attribute that says nothing');
  return { ...(truncatedTxId !== undefined && { truncatedTxId }), ...(extra && { extra }) };
}

function readEntry(name: string, value: unknown, nentries: number): ReadEntry {
  const entry = fields(name, value, ['key'], ['index', 'path', 'metadata', 'value', 'valueHash']);
  const metadata = optional(entry['metadata'], (each) => readKVMetadata(`${name}.metadata`, each));
  const shown = optional(entry['value'], (each) => base64(`${name}.value`, each));
  const hash = optional(entry['valueHash'], (each) => digest(`${name}.valueHash`, each));
  const hValue = hash ?? (shown && sha256(shown));
  if (!hValue || (hash && shown)) wrong(name, 'must have either a value or the hash of one');
  const index = optional(entry['index'], (each) => count(`${name}.index`, each, nentries - 1));
  const terms = optional(entry['path'], (each) => digests(`${name}.path`, each, MAX_PATH_TERMS));
  if ((index === undefined) !== (terms === undefined))
    wrong(name, 'must have both a place and a path, or neither');
  return {
    key: base64(`${name}.key`, entry['key']),
    ...(metadata && { metadata }),
    hValue,
    ...(shown && { value: shown }),
    ...(index !== undefined && terms && { place: { leaf: index, width: nentries, terms } }),
  };
}

function readKVMetadata(name: string, value: unknown): KVMetadata {
  const metadata = fields(name, value, [], ['deleted', 'expiresAt', 'nonIndexable']);
  if (Object.keys(metadata).length === 0) wrong(name, 'must not be there when it says nothing');
  const deleted = optional(metadata['deleted'], (each) => yes(`${name}.deleted`, each));
  const expiresAt = optional(metadata['expiresAt'], (each) => int64(`${name}.expiresAt`, each));
  const nonIndexable = optional(metadata['nonIndexable'], (each) => yes(`${name}.nonIndexable`, each));
  return {
    ...(deleted && { deleted }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(nonIndexable && { nonIndexable }),
  };
}

function readDualProof(value: unknown, sourceTxHeader: TxHeader): DualProof {
  const parts = ['inclusionProof', 'consistencyProof', 'lastInclusionProof'] as const;
  const names = ['targetTxHeader', 'targetBlTxAlh', 'linearProof', ...parts];
  const proof = fields('dualProof', value, names, ['linearAdvanceProof']);
  const targetTxHeader = readHeader('dualProof.targetTxHeader', proof['targetTxHeader']);
  const path = (name: string) => digests(`dualProof.${name}`, proof[name], MAX_PATH_TERMS);
  const { id: source } = sourceTxHeader;
  const { blTxId: tree } = targetTxHeader;
  const advance = optional(proof['linearAdvanceProof'], readLinearAdvance);
  return {
    sourceTxHeader,
    targetTxHeader,
    inclusionProof: path('inclusionProof'),
    consistencyProof: path('consistencyProof'),
    targetBlTxAlh: digest('dualProof.targetBlTxAlh', proof['targetBlTxAlh']),
    lastInclusionProof: path('lastInclusionProof'),
    linearProof: {
      // It can start and end in one way only.
      sourceTxId: source < tree ? tree : source,
      targetTxId: targetTxHeader.id,
      terms: digests('dualProof.linearProof', proof['linearProof'], MAX_LINEAR_TERMS),
    },
    ...(advance && { linearAdvanceProof: advance }),
  };
}

function readLinearAdvance(value: unknown): NonNullable<DualProof['linearAdvanceProof']> {
  const name = 'dualProof.linearAdvanceProof';
  const advance = fields(name, value, ['linearProofTerms', 'inclusionProofs']);
  const linearProofTerms = digests(`${name}.linearProofTerms`, advance['linearProofTerms'], MAX_LINEAR_TERMS);
  if (linearProofTerms.length === 0) wrong(name, 'must not be there when it is empty');
  const inclusionProofs = list(
    `${name}.inclusionProofs`,
    advance['inclusionProofs'],
    MAX_LINEAR_TERMS,
    (at, each) => digests(at, each, MAX_PATH_TERMS),
  );
  return { linearProofTerms, inclusionProofs };
}
