// Proofs to be kept and handed on: the transaction is asked for once more, under the head as it is then.
import { ImmuError, TransportError, VerificationError } from '../../../errors.js';
import { plainKey, plainValue, referenceValue } from '../../../proof/entry.js';
import type { PortableProof } from '../../../verify/portable/format.js';
import { makeProof } from '../../../verify/portable/make.js';
import type { ProofEntry } from '../../../verify/portable/make.js';
import type { WriteContent } from '../../group/write-form.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VerifiedWrite } from '../../trust/write.js';
import { askTxUnder } from '../../trust/trust-wire.js';
import { resultOf } from '../../results/result.js';
import type { VerifiedEntry } from '../kv/verified-entry.js';
import type { VerifiedTransaction } from './verified-tx.js';

/** Where a verified call asks. */
export interface Asking {
  readonly session: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/** A result of a read with the proof of its entry, and of the reference that led there. */
export async function withProofs(
  asking: Asking,
  database: string,
  entry: VerifiedEntry,
): Promise<VerifiedEntry> {
  const { key, value, tx, reference } = entry;
  const stored = [{ rawKey: plainKey(key), rawValue: plainValue(value) }];
  const proof = await portableProof(asking, database, tx, stored);
  // The entry is this call's own.
  if (!reference) return Object.assign(entry, { proof });
  const led = [{ rawKey: plainKey(reference.key), rawValue: referenceValue(reference.atTx, key) }];
  const proofOfReference = await portableProof(asking, database, reference.tx, led);
  return Object.assign(entry, { proof, reference: { ...reference, proof: proofOfReference } });
}

/** A transaction with the proof of all its entries, with the values that were shown. */
export async function withTxProof(
  asking: Asking,
  database: string,
  found: VerifiedTransaction,
): Promise<VerifiedTransaction> {
  const entries = found.entries.length === found.entryCount ? found.entries : 'all';
  return resultOf({ ...found, proof: await portableProof(asking, database, found.tx, entries) });
}

/** A write with the proof of what it wrote. */
export async function withWriteProof(
  asking: Asking,
  database: string,
  write: VerifiedWrite,
  { form, entries }: WriteContent,
): Promise<VerifiedWrite> {
  const stored = entries.map((entry) => form.storedIn(entry, write.tx));
  const proof = await portableProof(asking, database, write.tx, stored);
  return Object.freeze(resultOf({ ...write, proof }));
}

/** For a write that is proven, and whose proof document could not be had: what callers are told. */
export function withoutProof(tx: bigint, error: unknown): ImmuError {
  if (error instanceof VerificationError) return error;
  const why = error instanceof ImmuError ? `${error.code}: ${error.message}` : 'unexpected failure';
  const what = `written, and proven, in tx ${tx.toString()}; its proof document could not be had (${why}): ask for it with verifiedTx`;
  return new TransportError('OUTCOME_UNKNOWN', what, { cause: error });
}

/** Requires that the transaction was proven, with these entries. */
async function portableProof(
  { session, trust, call }: Asking,
  database: string,
  tx: bigint,
  entries: readonly ProofEntry[] | 'all',
): Promise<PortableProof> {
  await trust.ready(call);
  await trust.reach(call, tx);
  const head = await trust.head(call);
  const answer = await trust.ask(call, head, () => askTxUnder(session, tx, head, call.deadline.left));
  await trust.prove(call, { kind: 'tx', tx, leaves: true }, head, answer);
  return makeProof({ server: trust.server, database, entries }, answer);
}
