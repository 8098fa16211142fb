// Changes that a client may accept, because nothing it tells rests on the field. Reviewed one by one: a field that is
// not here must not be changeable without a refusal.

export interface Harmless {
  readonly field: RegExp;
  /** Only these kinds of change; all when left out. */
  readonly kinds?: RegExp;
  readonly why: string;
}

export const HARMLESS: readonly Harmless[] = [
  {
    field: /(^|\.)signature(\.|$)/,
    why: 'no key is configured in these runs: nothing is signed that anybody reads',
  },
  { field: /^(entry\.|entry\.referencedBy\.)revision$/, why: 'told under `unproven` only' },
  { field: /^entry\.expired$/, why: 'not read: expiry is judged by the proven metadata' },
  {
    field: /^(verifiableTx\.)?tx\.entries\[\]\.(vLen|value)$/,
    why: 'not read: the hash of the value is what is proven',
  },
  { field: /(^|verifiableTx\.)(tx|txs\[\])\.(kvEntries|zEntries)/, why: 'not read' },
  { field: /(^tx|\[\])\.entries$/, kinds: /^added$/, why: 'not read where only the header was asked for' },
  {
    field: /(^|\.)LinearAdvanceProof$/,
    kinds: /^added$/,
    why: 'an empty one is none: where one is needed it must be whole',
  },
  { field: /metadata$/, kinds: /^(removed|added)$/, why: 'absent and empty metadata are the same bytes' },
  { field: /precommittedTx(Id|Hash)$/, why: 'not read: says nothing about what is committed' },
];

export function isHarmless(field: string, kind: string): boolean {
  return HARMLESS.some((row) => row.field.test(field) && (row.kinds?.test(kind) ?? true));
}
