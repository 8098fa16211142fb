// The check of a Delete by its header: exactly these deletions, whatever the server says of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Verifier } from '#dist/verify/verifier.js';
import type { TxEntry } from '#dist/proof/types.js';
import { TestChain, bytesOf, utf8, wireHeader } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const { requestSerialize } = methodDefinition('immudb.schema.ImmuService', 'Delete');
const NOTHING = new Uint8Array(0);

const requestOf = (keys: readonly string[], more: object = {}) =>
  new Uint8Array(requestSerialize({ keys: keys.map((key) => Buffer.from(key)), ...more }));

type Raw = Omit<TxEntry, 'hValue'> & { readonly value: Uint8Array };
const gone = (key: string): Raw => ({
  key: plainKey(utf8(key)),
  metadata: { deleted: true },
  value: NOTHING,
});

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  /** What becomes of a deletion of `keys` that was answered with a tx of these entries. */
  const answered = (request: Uint8Array, entries: readonly Raw[]) => {
    const chain = new TestChain().grow(4);
    const n = chain.commit([...entries]);
    const answer = bytesOf('deleted', wireHeader(chain.tx(n).header));
    return {
      chain,
      n,
      verdict: verifier.verify(jobOf({ kind: 'deleted', request }, chain.root(n - 1n), answer)),
    };
  };

  it('accepts exactly the deletions that were sent', async () => {
    for (const keys of [['x'], ['x', 'y', 'z']]) {
      const { chain, n, verdict } = answered(requestOf(keys), keys.map(gone));
      expect(provenBy(await verdict, 'deleted').subject).toMatchObject(chain.root(n));
    }
  });

  it.each<[string, readonly Raw[], string]>([
    ['another key', [gone('x'), gone('w')], 'written.entries'],
    ['another order', [gone('y'), gone('x')], 'written.entries'],
    ['one fewer', [gone('x')], 'written.count'],
    ['one more', [gone('x'), gone('y'), gone('z')], 'written.count'],
    ['one not marked', [gone('x'), { key: plainKey(utf8('y')), value: NOTHING }], 'written.entries'],
    ['one that keeps a value', [gone('x'), { ...gone('y'), value: plainValue(NOTHING) }], 'written.entries'],
    [
      'one that only expires',
      [gone('x'), { ...gone('y'), metadata: { deleted: true, expiresAt: 1n } }],
      'written.entries',
    ],
  ])('refutes %s', async (_what, entries, check) => {
    expect(failedCheck(await answered(requestOf(['x', 'y']), entries).verdict)).toBe(check);
  });

  it('accepts what a request waits for, which changes nothing of what is written', async () => {
    for (const more of [{ sinceTx: '1' }, { noWait: true }])
      provenBy(await answered(requestOf(['x'], more), [gone('x')]).verdict, 'deleted');
  });

  it('refutes what it was sent with and cannot check', async () => {
    const request = Buffer.concat([requestOf(['x']), Buffer.from([0x20, 0x01])]);
    expect(failedCheck(await answered(request, [gone('x')]).verdict)).toBe('wire.request');
  });
});
