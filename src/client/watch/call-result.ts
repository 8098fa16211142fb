// What can be told of a result without its values.

/** How many entries are in it; undefined where it is nothing of that kind. */
export function entriesIn(value: unknown): number | undefined {
  if (value === null) return 0;
  if (typeof value !== 'object') return undefined;
  const list: unknown = Array.isArray(value) ? value : (value as { readonly entries?: unknown }).entries;
  if (Array.isArray(list)) return list.reduce((sum: number, each) => (each === null ? sum : sum + 1), 0);
  return (value as { readonly key?: unknown }).key instanceof Uint8Array ? 1 : undefined;
}
