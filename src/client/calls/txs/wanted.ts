// What of a transaction's entries is asked for.
import { ArgumentError } from '../../../errors.js';
import type { EntriesSpec } from '../../../wire/messages.js';
import type { CallOptions } from '../../input/call-options.js';
import { oneOf, optionsObject } from '../../input/option-checks.js';

/**
 * `digests`: keys, metadata and hashes of values. `raw`: with the values, as they are stored. `resolved`: what the keys lead to
 * now, through references. `none`: the header only.
 */
export type EntriesWanted = 'digests' | 'raw' | 'resolved' | 'none';

/** Kinds of entries that can be asked for by themselves. Documents cannot: only `digests` of all entries show them. */
export type EntryKind = 'key' | 'sorted-set' | 'sql';

export interface TxOptions extends CallOptions {
  /** @default 'digests' */
  readonly entries?: EntriesWanted;
  /** @default all; with `resolved` keys and sorted sets, the only ones that resolve */
  readonly kinds?: readonly EntryKind[];
}

export interface Wanted {
  readonly entries: EntriesWanted;
  readonly kinds?: readonly EntryKind[];
}

/** Names of these options. */
export const TX_NAMES = ['entries', 'kinds'];

const ENTRIES = ['digests', 'raw', 'resolved', 'none'] as const;
const KINDS = ['key', 'sorted-set', 'sql'] as const;
const KEY_KINDS = [...KINDS, 'document'] as const;
const ACTIONS = { digests: 'ONLY_DIGEST', raw: 'RAW_VALUE', resolved: 'RESOLVE', none: 'EXCLUDE' } as const;

/** Throws ArgumentError. `provable`: what is proven is what is stored, so nothing is resolved. */
export function checkWanted(options: TxOptions, provable = false): Wanted {
  optionsObject('options', options);
  const { entries = 'digests', kinds } = options;
  const known = provable ? ENTRIES.filter((each) => each !== 'resolved') : ENTRIES;
  const wanted = oneOf('entries', entries, known);
  if (kinds === undefined) return { entries: wanted };
  if (!Array.isArray(kinds) || kinds.length < 1 || kinds.length > KINDS.length)
    throw new ArgumentError(
      'kinds',
      `kinds must be an array of one to ${KINDS.length} of: ${KINDS.join(', ')}`,
    );
  const asked = kinds.map((kind, i) => oneOf(`kinds[${i}]`, kind, KINDS));
  if (new Set(asked).size < asked.length) throw new ArgumentError('kinds', 'kinds names one kind twice');
  if (wanted === 'resolved' && asked.includes('sql'))
    throw new ArgumentError('kinds', 'entries of kind sql cannot be resolved: ask for them raw');
  return { entries: wanted, kinds: asked };
}

/** The same as immudb asks for it; undefined: for all entries as digests. */
export function specOf({ entries, kinds }: Wanted): { readonly entriesSpec?: EntriesSpec } {
  if (entries === 'digests' && !kinds) return {};
  const action = { action: ACTIONS[entries] };
  if (entries === 'none') return { entriesSpec: { kvEntriesSpec: action } };
  const asked = kinds ?? (entries === 'resolved' ? (['key', 'sorted-set'] as const) : KINDS);
  return {
    entriesSpec: {
      ...(asked.includes('key') && { kvEntriesSpec: action }),
      ...(asked.includes('sorted-set') && { zEntriesSpec: action }),
      ...(asked.includes('sql') && { sqlEntriesSpec: action }),
    },
  };
}

/** Kind of an entry by its raw key. */
export function kindOfKey(rawKey: Uint8Array): EntryKind | 'document' | undefined {
  return KEY_KINDS[rawKey[0] ?? KEY_KINDS.length];
}
