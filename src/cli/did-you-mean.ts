// What was most likely meant by a word that nobody knows.

/** Longer ones are no slip of the finger. */
const MAX_CHARS = 40;

/** ` (did you mean …?)`, or nothing: the nearest of the known words, where it is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const given = word.toLowerCase();
  if (given.length > MAX_CHARS) return '';
  let nearest: string | undefined;
  // A third of the letters may be wrong, or a word be cut off.
  let best = Math.floor(given.length / 3) + 1;
  for (const each of known) {
    const apart = given.length > 1 && each.startsWith(given) ? 0.5 : distance(given, each);
    if (apart >= best) continue;
    best = apart;
    nearest = each;
  }
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
}

/** Letters to add, to leave out, to change or to swap with their neighbour. */
function distance(a: string, b: string): number {
  let [twoAbove, above]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j - 1] ?? 0) + 1, (above[j] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, (twoAbove[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [twoAbove, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
