// Verifiable answers: the subject transaction, the proof that joins it to the caller's trusted one, and the signature
// over the newer of the two (docs/protocol.md §14.1).
import { buildDualProof } from '../../proof/dual-proof.js';
import { entriesInclusion } from '../../proof/tree/entries-tree.js';
import { digestOf, plainKey } from '../../proof/entry.js';
import type { ChainAccess } from '../../proof/linear.js';
import type { InclusionProof, TxHeader } from '../../proof/types.js';
import type { Database } from './database.js';
import { refuse } from '../errors.js';
import { existingTx, findInTx } from '../kv/lookup.js';
import { assertReached, get } from '../kv/reads.js';
import type { StateSigner } from './state-signer.js';
import { wireDualProof, wireInclusionProof } from '../wire/to-wire.js';
import type { TxId } from './tx-log.js';
import { serializeTx } from '../kv/tx-reads.js';
import { id } from '../wire/messages.js';
import type {
  EntriesSpec,
  KeyRequest,
  RequestId,
  VerifiableTxRequest,
  WireState,
  WireVerifiableEntry,
  WireVerifiableTx,
} from '../wire/messages.js';

export function chainOf(db: Database): ChainAccess {
  return {
    headerOf: (tx) => db.log.header(Number(tx)),
    alhOf: (tx) => db.log.alh(Number(tx)),
  };
}

/** Throws when the caller trusts a transaction that this database does not have. */
export function assertNotAhead(db: Database, proveSinceTx: RequestId, refusal = refuse.illegalState): void {
  if (id(proveSinceTx) > BigInt(db.last)) throw refusal();
}

/** Proves tx `subject` against the trusted tx of the request; 0 asks for a proof of the subject by itself. */
export function verifiableTx(
  db: Database,
  subject: TxId,
  proveSinceTx: RequestId,
  signer: StateSigner | undefined,
  form: { readonly spec?: EntriesSpec | null | undefined; readonly unresolved?: boolean } = {},
): WireVerifiableTx {
  const subjectHeader = db.log.header(subject);
  const since = Number(id(proveSinceTx));
  const trusted = since === 0 || since === subject ? subjectHeader : db.log.header(since);
  const [source, target] = since <= subject ? [trusted, subjectHeader] : [subjectHeader, trusted];
  const proof = buildDualProof(source, target, db.log.tree, chainOf(db));
  const answer: WireVerifiableTx = {
    tx: serializeTx(db, subject, form.spec, form.unresolved === true),
    dualProof: wireDualProof(proof, since === 0 ? undefined : since <= subject ? 'source' : 'target'),
  };
  if (signer) answer.signature = signer.sign(db.name, target.id, db.log.alh(Number(target.id)));
  return answer;
}

export function verifiableGet(
  db: Database,
  request: { readonly keyRequest?: KeyRequest | null; readonly proveSinceTx?: RequestId },
  signer: StateSigner | undefined,
): WireVerifiableEntry {
  assertNotAhead(db, request.proveSinceTx);
  const entry = get(db, request.keyRequest);
  const proven = entry.referencedBy ?? entry;
  const tx = Number(proven.tx);
  const at = findInTx(db, plainKey(proven.key as Uint8Array), BigInt(tx)) - db.log.entriesStart(tx);
  return {
    entry,
    verifiableTx: verifiableTx(db, tx, request.proveSinceTx, signer),
    inclusionProof: wireInclusionProof(inclusionOf(db, tx, at)),
  };
}

/** Proof of entry `at` (0-based) of a transaction. */
export function inclusionOf(db: Database, tx: TxId, at: number): InclusionProof {
  const entries = db.log.entries(tx);
  if (entries.length === 1) return { leaf: 0, width: 1, terms: [] };
  const version = db.log.header(tx).version;
  const digests = entries.map((one) => digestOf(version, one.key, one.metadata, one.hValue));
  return entriesInclusion(digests, at);
}

export function verifiableTxById(
  db: Database,
  request: VerifiableTxRequest,
  signer: StateSigner | undefined,
): WireVerifiableTx {
  assertNotAhead(db, request.proveSinceTx, () => refuse.stateAhead(db.last, id(request.proveSinceTx)));
  const unresolved = request.keepReferencesUnresolved === true;
  if (!unresolved) assertReached(db, request.sinceTx);
  const tx = existingTx(db, id(request.tx));
  return verifiableTx(db, tx, request.proveSinceTx, signer, { spec: request.entriesSpec, unresolved });
}

export function currentState(db: Database, signer: StateSigner | undefined): WireState {
  const alh = db.log.alh(db.last);
  const state: WireState = {
    db: db.name,
    txId: db.last,
    txHash: alh,
    precommittedTxId: db.last,
    precommittedTxHash: alh,
  };
  if (signer) state.signature = signer.sign(db.name, BigInt(db.last), alh);
  return state;
}

export function idOf(header: TxHeader): TxId {
  return Number(header.id);
}
