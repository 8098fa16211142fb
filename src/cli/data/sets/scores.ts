// Scores of sorted sets on the command line.
import { UsageError } from '../../command.js';

const SCORE = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** A decimal number. @throws UsageError */
export function scoreOf(name: string, text: string): number {
  const score = Number(text);
  if (!SCORE.test(text) || !Number.isFinite(score))
    throw new UsageError(`${name} is a number, not ${JSON.stringify(text)}`);
  return score;
}
