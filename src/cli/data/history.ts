// `immu-ts history`: the versions of a key.
import type { HistoryEntry, VerifiedVersion } from '../../index.js';
import type { Column } from '../format/columns.js';
import { isoTime } from '../format/row-columns.js';
import { COMPLETE_OPTION, assertVerified, completeOptions } from '../latest/following.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { LIST_OPTIONS, leftOut, list, listOptions, sayListed } from './listing.js';
import { cellOf } from './show.js';

type Version = HistoryEntry | VerifiedVersion;

const COLUMNS: readonly Column<Version>[] = [
  { name: 'tx', value: ({ tx }) => tx.toString(), width: 8, align: 'right' },
  { name: 'written', value: timeOf, width: 24 },
  { name: 'value', value: whatIs, width: 0 },
];

export const historyCommand = verifiedCommand({
  name: 'history',
  operand: 'KEY',
  summary: 'Lists the versions of a key, deletions too, the oldest first, each proven.',
  options: { ...LIST_OPTIONS, ...KEY_OPTIONS, ...COMPLETE_OPTION },
  more: `That no version is left out is proven with --complete only.
Exit code 1: there is none, by the server's word (with --complete: proven).
Exit code 3: a version is not proven; nothing behind it is shown.`,
  check(options, [key]) {
    keyOf(key, options);
    listOptions(options);
    assertVerified('--complete', options.complete, options);
  },
  async run({ client, values, words: [word], io, call }) {
    const key = keyOf(word, values);
    const options = { ...listOptions(values), ...call };
    const verified = !values.unverified;
    const complete = await completeOptions(client, values, io, call);
    const versions: AsyncIterable<Version> = complete
      ? client.verifiedHistory(key, { ...options, ...complete })
      : verified
        ? client.verifiedHistory(key, options)
        : client.history(key, options);
    const count = await list(io, versions, COLUMNS, { json: values.json, verified });
    await sayListed(io, count, ['version', 'versions'], { verified, left: leftOut(values.complete) });
    return count > 0 ? 0 : 1;
  },
});

/** Of a proven version, the time of its header. */
function timeOf(version: Version): string | null {
  return 'root' in version && version.timestamp > 0n ? isoTime(Number(version.timestamp) * 1000) : null;
}

function whatIs(version: Version): string {
  if (version.deleted) return '(deleted)';
  if (version.expired) return '(expired)';
  if ('reference' in version) return `(refers to ${cellOf(version.reference.key)})`;
  return cellOf(version.value);
}
