// The check of one transaction with its values: each that is shown is that of an entry, in their order, and hashes to what the entry says.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArgumentError } from '#dist/errors.js';
import type { Verifier } from '#dist/verify/verifier.js';
import { ABC, ALONE, HEAD, chain } from './support/scene.js';
import type { Change } from './support/scene.js';
import { bytesOf, utf8 } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const head = chain.root(HEAD);
const shown = () => chain.wholeTxs(ABC, ABC, true).txs[0];
const answer = bytesOf('tx', chain.verifiableTx(ABC, HEAD));

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());
  const verify = (values: Uint8Array, of = answer) =>
    verifier.verify(jobOf({ kind: 'tx', tx: ABC, leaves: true, values }, head, of));

  it.for<[string, Change]>([
    ['all', () => undefined],
    ['none', (tx) => (tx.entries = [])],
    ['some', (tx) => tx.entries.shift()],
    ['the last left out', (tx) => tx.entries.pop()],
    ['one that is gone', (tx) => delete tx.entries[1].value],
    // Which entries there are, and their hashes, is said by the proven ones only.
    ['another hash beside a value', (tx) => (tx.entries[0].hValue = tx.entries[1].hValue)],
    ['another header', (tx) => (tx.header.ts = '5')],
  ])('accepts values: %s', async ([, change]) => {
    const values = shown();
    change(values);
    expect(provenBy(await verify(bytesOf('values', values)), 'tx').subject).toMatchObject(chain.root(ABC));
  });

  it.for<[string, string, Change]>([
    ['another value', 'stretch.value', (tx) => (tx.entries[0].value = utf8('\u0000lie'))],
    ['the value of another entry', 'stretch.value', (tx) => (tx.entries[0].value = tx.entries[1].value)],
    ['the value of another key', 'stretch.value-entry', (tx) => (tx.entries[0].key = utf8('\u0000z'))],
    ['another order', 'stretch.value-entry', (tx) => tx.entries.reverse()],
    ['one twice', 'wire.bound', (tx) => tx.entries.push(tx.entries[2])],
  ])('refuses %s', async ([, check, change]) => {
    const values = shown();
    change(values);
    expect(failedCheck(await verify(bytesOf('values', values)))).toBe(check);
  });

  it('refuses values of another transaction, and entries that are not all there', async () => {
    expect(failedCheck(await verify(bytesOf('values', chain.wholeTxs(ALONE, ALONE, true).txs[0])))).toBe(
      'stretch.value-entry',
    );
    const lied = chain.verifiableTx(ABC, HEAD);
    lied.tx.entries.pop();
    expect(failedCheck(await verify(bytesOf('values', shown()), bytesOf('tx', lied)))).toBe('entries.count');
  });

  it('is asked with its leaves, and with bytes', async () => {
    const values = bytesOf('values', shown());
    for (const question of [
      { kind: 'tx', tx: ABC, values },
      { kind: 'tx', tx: ABC, leaves: true, values: 'x' as never },
    ] as const)
      await expect(verifier.verify(jobOf(question, head, answer))).rejects.toBeInstanceOf(ArgumentError);
  });
});
