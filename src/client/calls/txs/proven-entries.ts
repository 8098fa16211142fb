// Entries of a transaction that is proven, with the values that the server showed beside them: read from bytes that were checked.
import { equalBytes } from '../../../proof/bytes.js';
import type { TxEntry } from '../../../proof/types.js';
import type { StoredEntry, TransactionEntry } from '../../../verify/transaction-entry.js';
import type { LazyTx } from '../../../verify/wire/answers.js';
import { shownEntries } from '../../../verify/wire/shown-txs.js';
import { unixSeconds } from '../../input/unix-seconds.js';
import { storedEntry, truncated } from './transaction.js';
import { kindOfKey } from './wanted.js';
import type { Wanted } from './wanted.js';

/** What has expired is for the server's clock to say, which may be this far ahead of ours, in seconds. */
const AHEAD_S = 60n;

/**
 * Requires that `whole` was proven to hold all entries, and that each value in `shown`, in their order, was proven to be that
 * of an entry.
 *
 * @throws ServerError TRUNCATED where a value was asked for, is not shown, and nothing else says why
 */
export function provenEntries(
  whole: LazyTx,
  shown: LazyTx | undefined,
  { entries, kinds }: Wanted,
): TransactionEntry[] {
  if (entries === 'none') return [];
  const values = shown && shownEntries(shown);
  let next = 0;
  const proven: TransactionEntry[] = [];
  for (const entry of whole.entries()) {
    const beside = values?.[next];
    const isShown = beside !== undefined && equalBytes(beside.key, entry.key);
    if (isShown) next++;
    if (kinds && !kinds.some((kind) => kind === kindOfKey(entry.key))) continue;
    if (!values || isShown) {
      proven.push(storedEntry(entry, whole.header.id, beside?.value));
      continue;
    }
    const withheld = reasonOf(entry);
    if (!withheld) throw truncated(whole.header.id);
    proven.push(storedEntry(entry, whole.header.id, undefined, withheld));
  }
  return proven;
}

/** Why an honest server leaves it out: its proven key and metadata say so. */
function reasonOf({ key, metadata }: TxEntry): StoredEntry['withheld'] {
  if (kindOfKey(key) === 'document') return 'document';
  const expiresAt = metadata?.expiresAt;
  return expiresAt !== undefined && expiresAt <= unixSeconds() + AHEAD_S ? 'expired' : undefined;
}
