// What the page says of each database: trusted, followed and witnessed heads, how old they are, and what speaks against the server.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { followedIn, witnessesIn } from '#dist/audit.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { storeOf } from './audited.js';
import { auditedStore, entry, rowsIn } from './audited.js';
import { serve } from './page-support.js';
import { temporaryFolder } from './run.js';
import { witnessedEntries } from './witnessed.js';
import { TestWitness, logKey, witnessKey } from '../witness/witness-server.js';

const HOUR = 3_600_000;
const now = Date.now();
const ORIGIN = 'immu-ts.example/billing';

/** A page's text, without its marks and with single blanks. */
async function textOf(path: string, at = '/'): Promise<string> {
  const { ask } = await serve(path);
  const { text } = await ask(at);
  return text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(' ,', ',');
}

const root = (tx: bigint, fields = {}) =>
  entry({ ...{ tx, outcome: 'root', operation: 'verifiedSet', verifiedAt: now - 2 * HOUR }, ...fields });
const followed = (tx: bigint, from: bigint, fields = {}) =>
  entry({
    ...{ tx, operation: 'follow', calls: 0, verifiedAt: now - 3 * HOUR },
    ...{ detail: `followed to tx ${tx} from tx ${from}: 12 keys`, ...fields },
  });

async function advanced(entries: Parameters<typeof storeOf>[0]): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, 'roots.db');
  await using store = await SqliteRootStore.open(path);
  const heads = new Map<string, { tx: bigint; alh: Uint8Array }>();
  for (const each of entries) {
    const name = `${each.server} ${each.database}`;
    if (each.outcome === 'root' || each.outcome === 'first-use') {
      await store.advance(heads.get(name) ?? null, each);
      heads.set(name, each);
    } else if (each.outcome === 'forget') await store.forget(each);
    else await store.record(each);
  }
  return path;
}

describe('followed heads', () => {
  test('a follower says in the log how far it is, and at its end', async () => {
    const path = join(await temporaryFolder(), 'roots.db');
    await using ledger = await EmbeddedLedger.start();
    await using store = await SqliteRootStore.open(path);
    const client = new ImmuClient({
      ...{ address: ledger.address, store, credentials: { user: 'immudb', password: 'immudb' } },
    });
    await client.verifiedSet('a', '1');
    const following = await client.follow();
    await following.ready();
    await client.verifiedSet('b', '2');
    const { tx: last } = await client.verifiedSet('c', '3');
    await following.reach(last);
    await client.close();
    const rows = (await rowsIn(path)).filter((row) => followedIn(row));
    // Caught up, and at the end: no row for each transaction.
    expect(rows).toHaveLength(2);
    expect(rows.at(-1)).toMatchObject({ tx: last, calls: 0, outcome: 'calls' });
    expect(followedIn(rows.at(-1)!)).toMatchObject({ from: 0n, keys: 3n });
    expect(await textOf(path)).toMatch(
      /Followed tx \d+ \d+ s ago \( row \d+ \): everything from the beginning on proven, 3 keys/,
    );
  });

  test('its age, how much was trusted since, and from where', async () => {
    const path = await advanced([root(5n, { outcome: 'first-use' }), followed(5n, 2n), root(9n)]);
    const text = await textOf(path);
    expect(text).toContain('Trusted tx 9 2 h ago');
    expect(text).toMatch(
      /Followed tx 5 3 h ago \( row 2 \): everything since tx 2 proven, 12 keys, 4 trusted since/,
    );
  });

  test('a follower that was refused since is said', async () => {
    const path = await advanced([
      ...[root(5n, { outcome: 'first-use' }), followed(5n, 0n)],
      entry({
        outcome: 'failure',
        operation: 'follow',
        evidence: { check: 'chain.end', job: new Uint8Array(3) },
      }),
    ]);
    expect(await textOf(path)).toContain('and refused since: row 3');
  });

  test('what was found under trust that was dropped is not shown', async () => {
    const path = await advanced([
      ...[root(5n, { outcome: 'first-use' }), followed(5n, 0n)],
      ...witnessedEntries(ORIGIN, { size: 4n, witnesses: ['w.example'], at: now - HOUR }),
      ...[entry({ outcome: 'fork', tx: 5n }), entry({ outcome: 'forget', tx: 5n, operation: 'forgetTrust' })],
    ]);
    const text = await textOf(path);
    expect(text).toContain('Trusted nothing : trust was forgotten');
    expect(text).toContain('Followed not followed');
    expect(text).toContain('Witnessed no witness has seen it');
    expect(text).not.toContain('Two histories');
  });

  test('heads of the database that is filtered for, alone', async () => {
    const path = await advanced([
      root(5n, { outcome: 'first-use' }),
      root(7n, { outcome: 'first-use', database: 'other' }),
    ]);
    expect(await textOf(path)).toMatch(/Trusted tx 5 .*Trusted tx 7 /);
    const other = await textOf(path, '/?database=other');
    expect(other).toContain('Trusted tx 7');
    expect(other).not.toContain('Trusted tx 5');
  });
});

describe('witnessed heads', () => {
  const detail = (lines: string[], cosigned: number, quorum: number) =>
    [
      `tree of 4 transactions of ${ORIGIN}: ${cosigned} of ${lines.length} cosigned, quorum ${quorum}`,
      ...lines,
    ].join('\n');
  const shown = (lines: string[], cosigned: number, quorum: number) =>
    entry({
      ...{ tx: 5n, operation: 'publishHead.witnesses', calls: 0, verifiedAt: now - HOUR },
      detail: detail(lines, cosigned, quorum),
    });

  test('who cosigned, of how many, the quorum, and the age', async () => {
    const path = await advanced([
      root(5n, { outcome: 'first-use' }),
      ...witnessedEntries(ORIGIN, { size: 4n, witnesses: ['w.example', 'v.example'], at: now - HOUR }),
      shown(['cosigned w.example', 'cosigned v.example', 'unreachable u.example'], 2, 2),
    ]);
    const text = await textOf(path);
    expect(text).toContain(`Witnessed 4 transactions 1 h ago ( row 2 ), as ${ORIGIN}, 1 trusted since`);
    expect(text).toContain('✓ 2 of 3 cosigned, quorum 2, 1 h ago');
    expect(text).toContain('w.example: cosigned v.example: cosigned u.example: unreachable');
  });

  test('a quorum that was not reached', async () => {
    const path = await advanced([
      root(5n, { outcome: 'first-use' }),
      shown(['cosigned w.example', 'refused u.example unknown-log'], 1, 2),
    ]);
    const text = await textOf(path);
    expect(text).toContain(`no head is cosigned, as ${ORIGIN}`);
    expect(text).toContain('✗ 1 of 2 cosigned, quorum 2 not reached');
    expect(text).toContain('u.example: refused (unknown-log)');
  });

  test.each([
    ['fork', 'witness.fork', 'A witness has seen another history'],
    ['rollback', 'witness.withheld', 'A witness has seen transactions that the server withholds'],
    ['fork', 'trust.fork', 'Two histories'],
    ['rollback', 'trust.rollback', 'Transactions are missing'],
    ['identity-change', 'identity', 'Another server answers'],
  ] as const)('%s by %s is said first, as an alert', async (outcome, check, words) => {
    const path = await advanced([
      root(5n, { outcome: 'first-use' }),
      entry({ ...{ outcome, tx: 5n, detail: 'so it is said' }, evidence: { check, job: new Uint8Array(0) } }),
    ]);
    const { ask } = await serve(path);
    const { text } = await ask('/');
    expect(text).toMatch(new RegExp(`role="alert">[^]{0,200}${words}`));
    expect(text).toContain('so it is said');
  });

  test('publishHead leaves what its witnesses did, and page and log read it', async () => {
    const path = join(await temporaryFolder(), 'roots.db');
    await using ledger = await EmbeddedLedger.start();
    const log = logKey(ORIGIN);
    const witness = await TestWitness.start('w.example', log);
    await using store = await SqliteRootStore.open(path);
    await using client = new ImmuClient({
      ...{ address: ledger.address, store, credentials: { user: 'immudb', password: 'immudb' } },
    });
    for (const key of ['a', 'b', 'c']) await client.verifiedSet(key, '1');
    const gone = { url: 'http://127.0.0.1:9/', key: witnessKey('gone.example').vkey };
    const published = await client.publishHead({
      ...{ origin: ORIGIN, key: log.privateKey, quorum: 1 },
      witnesses: [witness.witness, gone],
    });
    const row = (await rowsIn(path)).find((each) => witnessesIn(each));
    expect(witnessesIn(row!)).toEqual({
      ...{ origin: ORIGIN, size: published.size, quorum: 1 },
      witnesses: [
        { name: 'w.example', status: 'cosigned' },
        { name: 'gone.example', status: 'unreachable' },
      ],
    });
    expect(await textOf(path)).toContain('✓ 1 of 2 cosigned, quorum 1');
  });
});

test('words that are not those of a follower or a publisher say nothing', async () => {
  const { path } = await auditedStore();
  for (const row of await rowsIn(path)) {
    expect(followedIn(row)).toBeUndefined();
    expect(witnessesIn(row)).toBeUndefined();
  }
  const at = { ...entry({ operation: 'follow' }), seq: 1n, hash: new Uint8Array(32) };
  for (const detail of ['followed to tx 1 from tx 0: 5 keys.', 'followed to tx -1 from tx 0: 5 keys', 'x'])
    expect(followedIn({ ...at, detail })).toBeUndefined();
  for (const detail of [
    'tree of 4 transactions of a b: 1 of 1 cosigned, quorum 1',
    'tree of 4 transactions of a: 1 of 1 cosigned, quorum 1\nperhaps w',
  ])
    expect(witnessesIn({ ...at, operation: 'publishHead.witnesses', detail })).toBeUndefined();
});
