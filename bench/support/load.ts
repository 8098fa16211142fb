// Load for benches: so many calls in flight, results checked by whoever makes the call.

/** Calls a second of `call`, `inFlight` at a time, until `total` are done. */
export async function callsPerSecond(
  inFlight: number,
  total: number,
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < total) await call(next++);
    }),
  );
  return total / ((performance.now() - start) / 1000);
}

/** Calls a second of `call`, as many in flight as `ready` lets in, until `total` are done. */
export async function underBackPressure(
  total: number,
  ready: () => Promise<void>,
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < total; i++) {
    await ready();
    calls.push(call(i));
  }
  await Promise.all(calls);
  return total / ((performance.now() - start) / 1000);
}

/** NaN of none. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

/** The best of several measurements: what else the machine does only ever makes them worse. */
export async function bestOf(rounds: number, measure: () => Promise<number>): Promise<number> {
  let best = 0;
  for (let i = 0; i < rounds; i++) best = Math.max(best, await measure());
  return best;
}

/** Numbers below `below`, the same in every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}
