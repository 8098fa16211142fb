// Writes of any kind in any order, many in a turn: answered and logged as the rules say.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry, RootStore, StoredRoot } from '#dist/store/root-store.js';
import { alh, entry, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';
import { ReferenceLog, keyOf } from './reference.js';

/** Few txs with two hashes each: they meet again and again. */
const root = fc.record({ tx: fc.bigInt(0n, 5n), salt: fc.constantFrom(0, 0, 1) });
const database = fc.constantFrom('a', 'b');
const write = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      database,
      // Of what is expected: mostly the head as it will be.
      expected: fc.oneof({ weight: 4, arbitrary: fc.constant('head' as const) }, fc.constant(null), root),
      to: root,
      outcome: fc.constantFrom('root' as const, 'first-use' as const, 'pinned' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      database,
      to: root,
      // As calls mostly do, they rest on the head as it will be.
      isOfHead: fc.boolean(),
      outcome: fc.constantFrom('calls' as const, 'calls' as const, 'failure' as const, 'fork' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), database, to: root }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('bind' as const, 'rebind' as const),
      address: fc.constantFrom('x', 'y'),
      server: fc.constantFrom('one', 'two'),
    }),
  },
);
type Write = typeof write extends fc.Arbitrary<infer W> ? W : never;

interface Asked {
  readonly answer: Promise<unknown>;
  readonly wanted: unknown;
}

/** Asks both, in the same order: what the store will answer, and what it should. Undefined: it cannot be asked for. */
function ask(store: RootStore, reference: ReferenceLog, asked: Write, run: string): Asked | undefined {
  if ('address' in asked) {
    const [address, server] = [`${asked.address} ${run}`, asked.server];
    if (asked.kind === 'bind')
      return { answer: store.bindIdentity(address, server), wanted: reference.bind(address, server) };
    reference.rebind(address, server);
    return { answer: store.rebindIdentity(address, server), wanted: undefined };
  }
  const key = keyOf(`${asked.database} ${run}`);
  const { tx, salt } = asked.to;
  const made = (outcome: AuditEntry['outcome']) =>
    entry(tx, { ...key, alh: alh(tx, salt), outcome, clientId: `client-${salt}` });
  switch (asked.kind) {
    case 'advance': {
      const expected = expectedOf(reference.head(key), asked.expected);
      if (expected && expected.tx >= tx) return undefined;
      const to = made(asked.outcome);
      return { answer: store.advance(expected, to), wanted: reference.advance(expected, to) };
    }
    case 'record': {
      const row = { ...made(asked.outcome), ...(asked.isOfHead && reference.head(key)) };
      return { answer: store.record(row), wanted: reference.record(row) };
    }
    case 'forget': {
      const row = made('forget');
      reference.forget(row);
      return { answer: store.forget(row), wanted: undefined };
    }
  }
}

function expectedOf(
  head: StoredRoot | null,
  asked: 'head' | null | { tx: bigint; salt: number },
): StoredRoot | null {
  if (asked === 'head') return head;
  return asked && { tx: asked.tx, alh: alh(asked.tx, asked.salt) };
}

export function anyOrder(open: OpenStore): void {
  describe('writes in any order', () => {
    it('are answered, and logged, as the rules say', async () => {
      const [store, reference] = [await open(), new ReferenceLog()];
      let runs = 0;
      const turns = fc.array(fc.array(write, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
      const met = { moved: 0, refused: 0, forks: 0, forgotten: 0 };
      await fc.assert(
        fc.asyncProperty(turns, async (asked) => {
          const run = String((runs += 1));
          for (const turn of asked) {
            const all = turn
              .map((each) => ask(store, reference, each, run))
              .filter((each) => each !== undefined);
            const answers = await Promise.all(all.map(({ answer }) => answer));
            expect(answers).toEqual(all.map(({ wanted }) => wanted));
            for (const answer of answers) count(met, answer);
          }
          for (const name of ['a', 'b']) {
            const key = keyOf(`${name} ${run}`);
            expect(await store.head(key)).toEqual(reference.head(key));
          }
          for (const name of ['x', 'y']) {
            expect(await store.identity(`${name} ${run}`)).toEqual(reference.identity(`${name} ${run}`));
          }
        }),
        { numRuns: 300 },
      );
      const logged = (await rows(store, { outcome: 'all' })).map((row) => ({
        ...{ server: row.server, database: row.database, tx: row.tx, alh: row.alh, outcome: row.outcome },
        clientId: row.outcome === 'identity' ? row.detail : row.clientId,
      }));
      expect(logged).toEqual(reference.rows);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: BigInt(reference.rows.length) });
      // All that the rules are about was met.
      for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(10);
    }, 120_000);
  });
}

function count(met: Record<'moved' | 'refused' | 'forks' | 'forgotten', number>, answer: unknown): void {
  if (typeof answer !== 'object' || answer === null) return;
  if ('moved' in answer) met[answer.moved === true ? 'moved' : 'refused'] += 1;
  if (!('conflict' in answer)) return;
  met.forks += 1;
  if ((answer.conflict as { forgotten: boolean }).forgotten) met.forgotten += 1;
}
