// Names in what callers hand in: one that nobody would read is a mistake, and said to be one, with the name that was meant.
import { ArgumentError } from './errors.js';

/** Longer than any name of ours. */
const MAX_NAME = 40;

/**
 * Throws for a name that nobody would read: a misspelt option would else be left out without a word. `name`: what the object
 * is called.
 *
 * @throws ArgumentError naming the unknown one
 */
export function knownNames(name: string, value: object, known: readonly string[]): void {
  if (Array.isArray(value)) throw new ArgumentError(name, `${name} must be an object, not an array`);
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const meant = nearest(key, known);
    const aside = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    throw new ArgumentError(name, `${name} has no ${JSON.stringify(key.slice(0, 100))}${aside}`);
  }
}

/** The known name that a slip of the finger or two makes of this one. */
function nearest(key: string, known: readonly string[]): string | undefined {
  if (key.length > MAX_NAME) return undefined;
  const slips = Math.min(2, key.length >> 1);
  let best: string | undefined;
  let least = slips + 1;
  for (const name of known) {
    const distance = slipsBetween(key.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Letters left out, put in, taken for another, or changed round with their neighbour. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(before, j - 2) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

function at(row: readonly number[], place: number): number {
  return row[place] as number;
}
