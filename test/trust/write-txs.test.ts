// Which transactions are taken by writes of this client: each by one only, for as long as it could be answered with.
import { beforeEach, describe, expect, test } from 'vitest';
import { ReservedTxs } from '#dist/client/trust/reserved-txs.js';

let connection: number;
let writes: ReservedTxs;
beforeEach(() => {
  connection = 0;
  writes = new ReservedTxs(() => connection);
});

test('a tx is taken once, whatever kinds of write are answered with it', () => {
  expect([writes.claim(5n), writes.claim(5n), writes.claimPlain(5n)]).toEqual([true, false, false]);
  expect([writes.claimPlain(6n), writes.claimPlain(6n), writes.claim(6n)]).toEqual([true, false, false]);
  expect(writes.claim(7n)).toBe(true);
});

test('what a plain write was told over one connection does not count over another; what was proven does', () => {
  writes.claim(5n);
  writes.claimPlain(6n);
  connection = 1;
  expect([writes.claim(5n), writes.claim(6n)]).toEqual([false, true]);
});

test('without connections to tell apart, a tx that a plain write was told is taken', () => {
  const alone = new ReservedTxs();
  expect([alone.claimPlain(5n), alone.claim(5n)]).toEqual([true, false]);
});

test('what plain writes were told is forgotten on demand: then it is not known what became of them', () => {
  writes.claim(5n);
  writes.forgetPlain();
  expect(writes.doubtedAt).toBe(-Infinity);
  writes.claimPlain(6n);
  const before = performance.now();
  writes.forgetPlain();
  expect(writes.doubtedAt).toBeGreaterThanOrEqual(before);
  expect([writes.claim(5n), writes.claim(6n)]).toEqual([false, true]);
});

describe('a write that ends', () => {
  const claimAll = (...txs: bigint[]) => txs.map((tx) => writes.claim(tx));

  test('frees the txs that none on its way can be answered with, up to the head', () => {
    const ending = writes.begin(10n);
    claimAll(11n, 12n, 13n);
    writes.claimPlain(14n);
    writes.end(ending, 12n);
    expect(claimAll(11n, 12n, 13n, 14n)).toEqual([true, true, false, false]);
    writes.end(writes.begin(12n), 14n);
    expect(claimAll(13n, 14n)).toEqual([true, true]);
  });

  test('frees none that an older one on its way may be answered with', () => {
    const older = writes.begin(10n);
    const ending = writes.begin(12n);
    claimAll(10n, 11n, 13n);
    writes.end(ending, 20n);
    expect(claimAll(10n, 11n, 13n)).toEqual([true, false, false]);
    writes.end(older, 20n);
    expect(claimAll(11n, 13n)).toEqual([true, true]);
  });

  test('frees none beyond the head, under whatever head the next one was sent', () => {
    const ending = writes.begin(10n);
    writes.begin(30n);
    claimAll(20n, 25n);
    writes.end(ending, 20n);
    expect(claimAll(20n, 25n)).toEqual([true, false]);
  });
});

test('forgotten trust frees everything; writes of before free nothing of what is claimed since', () => {
  writes.claim(5n);
  writes.claimPlain(6n);
  writes.end(writes.begin(1n), 4n);
  const before = performance.now();
  const ofBefore = writes.begin(4n);
  writes.forget();
  expect(writes.doubtedAt).toBeGreaterThanOrEqual(before);
  expect([writes.claim(5n), writes.claim(6n)]).toEqual([true, true]);
  writes.end(ofBefore, 9n);
  expect([writes.claim(5n), writes.claim(6n)]).toEqual([false, false]);
  // The next history begins at its own first tx.
  writes.claim(2n);
  writes.end(writes.begin(1n), 3n);
  expect([writes.claim(2n), writes.claim(5n)]).toEqual([true, false]);
});

test.each<[string, (tx: bigint) => boolean]>([
  ['verified', (tx) => writes.claim(tx)],
  ['plain', (tx) => writes.claimPlain(tx)],
])('65,536 txs of %s writes are remembered; then all are forgotten, which is a doubt', (_, claim) => {
  for (let tx = 1n; tx <= 65_536n; tx++) claim(tx);
  expect([claim(1n), claim(65_536n), writes.doubtedAt]).toEqual([false, false, -Infinity]);
  const before = performance.now();
  expect(claim(65_537n)).toBe(true);
  expect(writes.doubtedAt).toBeGreaterThanOrEqual(before);
  expect([claim(1n), claim(65_537n)]).toEqual([true, false]);
});
