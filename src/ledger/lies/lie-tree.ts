// Lies inside new headers: a history tree that holds another transaction than the chain, one that lags, another format.
import { entriesRoot } from '../../proof/tree/entries-tree.js';
import { plainKey } from '../../proof/entry.js';
import { verifiableIn } from '../wire/answer-parts.js';
import type { Call } from '../serve/core.js';
import type { Database, LeafHook } from '../engine/database.js';
import { branchAt, otherwise } from './lie-branches.js';
import type { AnswerLie } from './lie-answers.js';
import { KeyNotFound } from '../errors.js';
import { getAt } from '../kv/lookup.js';
import { inclusionOf } from '../engine/proofs.js';
import { wireHeader, wireInclusionProof } from '../wire/to-wire.js';
import type { TxId } from '../engine/tx-log.js';
import { serializeTx } from '../kv/tx-reads.js';
import { bytes } from '../wire/messages.js';
import type { KeyRequest, VerifiableTxRequest, WireVerifiableEntry } from '../wire/messages.js';

/** Another transaction under the id of a true one, and in its place in the history tree. */
export class OtherTransaction {
  readonly #db: Database;
  readonly #tx: TxId;
  /** The true history up to the transaction before, then the other one; made when the true one is committed. */
  #shadow: Database | undefined;
  readonly #hook: LeafHook;

  constructor(db: Database, tx: TxId) {
    this.#db = db;
    this.#tx = tx;
    this.#hook = (header) => {
      if (header.id !== BigInt(tx)) return undefined;
      const shadow = branchAt(db, BigInt(tx - 1));
      const other = shadow.prepare(otherwise(db.log.entries(tx)));
      shadow.replay(
        { ...header, nentries: other.entries.length, eH: entriesRoot(other.digests) },
        other.entries,
      );
      this.#shadow = shadow;
      return shadow.log.alh(tx);
    };
    db.dishonesty.leaves.add(this.#hook);
  }

  /** Lets go of transactions to come; a leaf that was written stays. */
  stop(): void {
    this.#db.dishonesty.leaves.delete(this.#hook);
  }

  /** Shows the other transaction where the proof leads through the tree, which holds it. */
  readonly show: AnswerLie = (answer, call) => {
    const shadow = this.#shadow;
    const verifiable = verifiableIn(answer);
    const proof = verifiable?.dualProof;
    const isSubject = Number(verifiable?.tx?.header?.id) === this.#tx;
    if (!shadow || !verifiable || !proof || !isSubject) return false;
    if (Number(proof.targetTxHeader?.blTxId ?? 0) <= this.#tx) return false;
    const request = call.request as VerifiableTxRequest;
    verifiable.tx = serializeTx(
      shadow,
      this.#tx,
      request.entriesSpec,
      request.keepReferencesUnresolved === true,
    );
    proof.sourceTxHeader = wireHeader(shadow.log.header(this.#tx));
    if (call.method === 'VerifiableGet') this.#showEntry(shadow, answer, call);
    return true;
  };

  #showEntry(shadow: Database, answer: WireVerifiableEntry, call: Call): void {
    const { keyRequest } = call.request as { keyRequest?: KeyRequest };
    const key = plainKey(bytes(keyRequest?.key));
    const at = shadow.log.entries(this.#tx).findIndex((entry) => Buffer.from(entry.key).equals(key));
    if (at < 0) throw new KeyNotFound();
    const revision = Number(answer.entry?.revision ?? 0);
    answer.entry = getAt(shadow, key, BigInt(this.#tx), { revision });
    answer.inclusionProof = wireInclusionProof(inclusionOf(shadow, this.#tx, at));
  }
}

/** Leaves out what would show that tree and chain differ. */
export const hideAdvance: AnswerLie = (answer) => {
  const proof = verifiableIn(answer)?.dualProof;
  if (!proof?.LinearAdvanceProof) return false;
  delete proof.LinearAdvanceProof;
  return true;
};
