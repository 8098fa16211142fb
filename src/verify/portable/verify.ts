// Checks a proof document against a root: anywhere, without a server, a store or the client that made it.
import { ArgumentError, VerificationError } from '../../errors.js';
import { verifyDualProof } from '../../proof/dual-proof.js';
import { digestOf } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { alh } from '../../proof/header.js';
import { verifyEntries, verifyEntryInclusion } from '../../proof/tree/entries-tree.js';
import type { TxHeader, TxMetadata } from '../../proof/types.js';
import { assertRoot } from '../asserts.js';
import { checkStateSignature } from '../chain/signature.js';
import { refutedBy } from '../refuted.js';
import type { Root } from '../terms.js';
import { transactionEntry } from '../transaction-entry.js';
import type { TransactionEntry } from '../transaction-entry.js';
import { PROOF_FORMAT, PROOF_VERSION } from './format.js';
import type { PortableProof } from './format.js';
import { readProof } from './read.js';
import type { ReadEntry, ReadProof } from './read.js';

/** A root that is trusted: from a store, a checkpoint, or somebody who is. */
export interface ProofRoot extends Root {
  /** Whose root it is, where that is known: the document must name the same. */
  readonly server?: string;
  readonly database?: string;
  /** SPKI (DER) of the server's state key: the root must be signed with it, over this database's name. */
  readonly publicKey?: Uint8Array;
}

/** What a document proves under the root. */
export interface VerifiedProof {
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  readonly metadata?: TxMetadata;
  /** How many entries the transaction has. */
  readonly entryCount: number;
  /** Entries of the transaction, with their values where the document has them; all of them when there are `entryCount`. */
  readonly entries: readonly TransactionEntry[];
  readonly root: Root;
  /** As the document names them: they are those of the root where the root says whose it is, or is signed. */
  readonly server: string;
  readonly database: string;
  /** The root was signed with the key that was given. */
  readonly signed: boolean;
}

/**
 * Checks that a document (or its JSON text) proves its entries under `root`: these entries, with their metadata and values, are
 * in this transaction, and the transaction lies on the history that the root ends. Pure: the same document and root have the
 * same outcome everywhere and at all times.
 *
 * @example
 * const { entries } = verifyProof(await readFile('proof.json', 'utf8'), { tx: 9n, alh });
 * @throws VerificationError, whose evidence names the check, when it does not hold
 * @throws ArgumentError when it is no proof document of a version that this release knows, or the root is none
 */
export function verifyProof(proof: PortableProof | string, root: ProofRoot): VerifiedProof {
  const document = documentOf(proof);
  assertRootGiven(root);
  try {
    return check(readProof(document), root);
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    throw refusal(error, document);
  }
}

function check(
  { server, database, root, header, entries, dualProof }: ReadProof,
  given: ProofRoot,
): VerifiedProof {
  // 1. It is about this root, of this server and database.
  if (given.server !== undefined && given.server !== server)
    throw new ProofFailure('proof.server', 'it is about another server', given.server, server);
  if (given.database !== undefined && given.database !== database)
    throw new ProofFailure('proof.database', 'it is about another database', given.database, database);
  if (root.tx !== given.tx)
    throw new ProofFailure('proof.root', 'it is under another root', given.tx, root.tx);
  assertSame(root.alh, given.alh, 'proof.root', 'it is under another root');
  const { publicKey } = given;
  checkStateSignature({ database, ...(publicKey && { publicKey }) }, given, root.signature);

  // 2. The header is the root's, or lies on the history that the root ends.
  const hash = alh(header);
  if (dualProof) {
    const ends = { sourceTx: header.id, sourceAlh: null, targetTx: given.tx, targetAlh: given.alh };
    verifyDualProof(dualProof, ends);
  } else assertSame(hash, given.alh, 'proof.header', 'the header is not that of the root');

  // 3. The entries are all that the header commits to, or each is at its place among them.
  verifyShown(header, entries);

  const { id: tx, ts: timestamp, metadata, nentries: entryCount } = header;
  return {
    ...{ tx, alh: hash, timestamp, entryCount },
    ...(metadata && { metadata }),
    entries: entries.map(shown),
    root: { tx: given.tx, alh: given.alh },
    ...{ server, database, signed: publicKey !== undefined },
  };
}

function verifyShown(header: TxHeader, entries: readonly ReadEntry[]): void {
  if (entries.every(({ place }) => place === undefined)) {
    verifyEntries(header, entries);
    return;
  }
  let last = -1;
  for (const { key, metadata, hValue, place } of entries) {
    if (!place) throw new ProofFailure('proof.entries', 'some entries have a place and some have none');
    if (place.leaf <= last)
      throw new ProofFailure('proof.entries', 'not in their order', `above ${last}`, place.leaf);
    last = place.leaf;
    verifyEntryInclusion(place, digestOf(header.version, key, metadata, hValue), header);
  }
}

function shown({ key, metadata, hValue, value }: ReadEntry): TransactionEntry {
  return transactionEntry({
    rawKey: key,
    valueHash: hValue,
    ...(metadata && { metadata }),
    ...(value && { rawValue: value }),
  });
}

type Document = Readonly<Record<string, unknown>>;

function documentOf(proof: unknown): Document {
  const document = typeof proof === 'string' ? parse(proof) : proof;
  const { format, version } = (typeof document === 'object' && document !== null ? document : {}) as Document;
  if (format !== PROOF_FORMAT) throw new ArgumentError('proof', 'proof is no proof document of immu-ts');
  if (version !== PROOF_VERSION)
    throw new ArgumentError(
      'proof',
      `proof is of a version that this release does not know (${PROOF_VERSION})`,
    );
  return document as Document;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ArgumentError(
      'proof',
      `proof is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function assertRootGiven(root: ProofRoot): void {
  const given: unknown = root;
  if (typeof given !== 'object' || given === null) throw new ArgumentError('root', 'root must be an object');
  assertRoot(root, 'root');
  for (const name of ['server', 'database'] as const) {
    const value: unknown = root[name];
    if (value !== undefined && typeof value !== 'string')
      throw new ArgumentError(`root.${name}`, `root.${name} must be text`);
  }
  const publicKey: unknown = root.publicKey;
  if (publicKey !== undefined && !(publicKey instanceof Uint8Array))
    throw new ArgumentError('root.publicKey', 'root.publicKey must be a Uint8Array');
}

function refusal(failure: ProofFailure, { server, database }: Document): VerificationError {
  const { check: name, expected, computed } = refutedBy(failure);
  return new VerificationError('VERIFICATION_FAILED', `the proof does not hold (${failure.message})`, {
    server: typeof server === 'string' ? server : '',
    database: typeof database === 'string' ? database : '',
    check: name,
    ...(expected !== undefined && { expected }),
    ...(computed !== undefined && { computed }),
  });
}
