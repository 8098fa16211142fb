// How much faster than the others verified calls are to be, and whether they are.
import type { Line } from '../support/table.js';
import { ratio } from '../support/table.js';
import { GO, OURS_IN_FLIGHT } from './contenders.js';
import type { Operation } from './work.js';

/** Best rate of a row of the table; undefined where there is none. */
export type RateOf = (contender: string, operation: Operation) => number | undefined;

interface Goal {
  readonly ours: Operation;
  /** Which peer: one of them, or the fastest at `theirs`. */
  readonly than: string;
  readonly theirs: Operation;
  readonly times: number;
}

const FASTEST = 'the fastest other client';
const GOALS: readonly Goal[] = [
  { ours: 'verifiedSet', than: GO, theirs: 'verifiedSet', times: 300 },
  { ours: 'verifiedSet', than: FASTEST, theirs: 'verifiedSet', times: 40 },
  { ours: 'verifiedGet', than: GO, theirs: 'verifiedGet', times: 20 },
  { ours: 'verifiedGet', than: FASTEST, theirs: 'verifiedGet', times: 10 },
  { ours: 'verifiedGet', than: GO, theirs: 'get', times: 1.5 },
];

/** One line a goal; a figure that is missing makes it unknown, never reached. */
export function goalLines(rateOf: RateOf, others: readonly string[]): Line[] {
  return GOALS.map(({ ours, than, theirs, times }) => {
    const peer = than === FASTEST ? fastest(rateOf, others, theirs) : than;
    const mine = rateOf(OURS_IN_FLIGHT, ours);
    const other = peer === undefined ? undefined : rateOf(peer, theirs);
    const reached = mine === undefined || other === undefined ? undefined : mine / other;
    return {
      goal: `${ours} in flight : ${theirs} of ${than}${than === FASTEST && peer ? ` (${peer})` : ''}`,
      'at least': times,
      result: reached === undefined ? 'no figure' : ratio(reached),
      reached: reached === undefined ? 'unknown' : reached >= times ? 'yes' : 'no',
    };
  });
}

function fastest(rateOf: RateOf, others: readonly string[], operation: Operation): string | undefined {
  const rate = (name: string) => rateOf(name, operation) ?? 0;
  return others.filter((name) => rate(name) > 0).sort((a, b) => rate(b) - rate(a))[0];
}
