// Whether the log has a signature of the configured key over a root. A row is not believed for being there: the signature in
// it is checked.
import { ProofFailure } from '../../../proof/failure.js';
import type { AuditRow, RootStore, StoredRoot, TrustKey } from '../../../store/root-store.js';
import { checkStateSignature } from '../../../verify/chain/signature.js';
import type { Context } from '../../../verify/verifier.js';
import { SIGNED } from '../log/trust-log.js';

/** In the row that made it the head, whoever wrote that, or in one that says that the server signed it afterwards. */
export async function isSigned(
  audit: RootStore['audit'],
  key: TrustKey,
  { tx, alh }: StoredRoot,
  context: Context,
): Promise<boolean> {
  const holds = (row: AuditRow | null) => row?.tx === tx && isValid(context, { tx, alh }, row.signature);
  if (holds(await audit.rootAt(tx, key))) return true;
  const query = { ...key, operation: SIGNED, outcome: 'calls', txRange: { from: tx, to: tx } } as const;
  for await (const row of audit.roots({ ...query, order: 'desc', limit: 1 })) if (holds(row)) return true;
  return false;
}

function isValid(context: Context, root: StoredRoot, signature: Uint8Array | undefined): boolean {
  try {
    checkStateSignature(context, root, signature);
    return true;
  } catch (error) {
    if (error instanceof ProofFailure) return false;
    throw error;
  }
}
