// Two real servers with one history up to a tx and two after it (a replica that was promoted), behind one address and one
// identity. Calls in flight are answered now by one, now by the other: they must not all be told "verified".
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ImmuClient, ImmuError, MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { RootStore, Root, VerificationError, VerifiedEntry } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { follow } from '../support/replicas.js';
import { WireClient } from '../support/wire-client.js';
import { Proxy } from './proxy.js';
import { randomOf } from './random.js';
import { ANSWERS } from './scenario.js';

const DATABASE = 'forked';
const ROUNDS = 40;
/** In flight at a time, and how often in a round: what the first calls made known serves the next. */
const CALLS = 16;
const WAVES = 4;
/** Last tx that both have. */
const COMMON = 40n;
/** Keys of which each branch has its own value, in txs of their own and together in one. */
const OWN = 8;

describePrivate('a fork between two real servers', () => {
  let primary: TestImmudb;
  let replica: TestImmudb;
  let proxy: Proxy;
  let branches: [WireClient, WireClient];
  const refusals: ImmuError[] = [];
  let verifiedRounds = 0;

  beforeAll(async () => {
    [primary, replica] = await Promise.all([TestImmudb.start(), TestImmudb.start()]);
    const admin = await WireClient.open(primary.address);
    await admin.call('CreateDatabaseV2', { name: DATABASE });
    admin.close();
    const onPrimary = await WireClient.open(primary.address, DATABASE);
    for (let i = 1n; i <= COMMON; i++) await put(onPrimary, `common${i % 10n}`, 'common');

    await follow(primary, replica, DATABASE);
    const follower = await WireClient.open(replica.address);
    const onReplica = await WireClient.open(replica.address, DATABASE);
    await vi.waitFor(async () => expect((await onReplica.call('CurrentState')).txId).toBe(String(COMMON)), {
      timeout: 30_000,
    });
    await follower.call('UpdateDatabaseV2', {
      database: DATABASE,
      settings: { replicationSettings: { replica: { value: false } } },
    });
    follower.close();
    branches = [onPrimary, onReplica];
    // From here on the two go their own ways, under the same tx ids.
    for (let i = 0; i < OWN; i++)
      await Promise.all(branches.map((branch, b) => put(branch, `b${i}`, `branch ${b}`)));
    await Promise.all(branches.map((branch, b) => put(branch, only(b), `branch ${b}`)));
    await Promise.all(
      branches.map((branch, b) =>
        branch.call('Set', {
          KVs: Array.from({ length: OWN }, (_, i) => ({
            key: Buffer.from(`bulk${i}`),
            value: Buffer.from(`branch ${b}`),
          })),
        }),
      ),
    );
    proxy = await Proxy.start(primary.address);
  });

  afterAll(async () => {
    for (const branch of branches) branch.close();
    await proxy.close();
    await Promise.all([primary.close(), replica.close()]);
  });

  test('the two histories really are two, and each is accepted alone', async () => {
    const [one, other] = await Promise.all(branches.map((branch) => alhOf(branch, COMMON + 2n)));
    expect(one?.equals(other as Buffer)).toBe(false);
    for (const side of [0, 1]) {
      route(() => side);
      await using client = await pinnedClient();
      expect(Buffer.from((await client.verifiedGet('b1'))?.value ?? []).toString()).toBe(`branch ${side}`);
      await client.verifiedSet('own', 'write');
      const keys = ['b0', 'b3', 'bulk1', 'bulk2', 'common3'];
      const entries = await client.verifiedGetAll(keys);
      expect(entries.map(valueOf)).toEqual([...keys.slice(1).map(() => `branch ${side}`), 'common']);
      const [one, other] = await Promise.all([client.verifiedGet('b2'), client.verifiedGet('bulk3')]);
      expect([one, other].map(valueOf)).toEqual([`branch ${side}`, `branch ${side}`]);
    }
  });

  test.for(Array.from({ length: ROUNDS }, (_, seed) => seed))('calls in flight, seed %i', async (seed) => {
    const random = randomOf(seed);
    const told = new Told();
    let refused = 0;
    await using client = await pinnedClient();
    for (let wave = 0; wave < WAVES; wave++) {
      // At first one branch alone, for a server that contradicts itself from the start is refused from the start.
      const side = random(2);
      route(wave === 0 ? () => side : () => random(2));
      const before = new Set(told.present);
      const calls = Array.from({ length: CALLS }, (_, i) => call(client, random, `s${seed}-${wave}-${i}`));
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === 'fulfilled') {
          told.add(...result.value);
          for (const { gone = '' } of result.value)
            expect(before, 'null from the other branch, for what was proven on this one').not.toContain(gone);
          continue;
        }
        // A branch that has not come as far as the head refuses to prove anything under it: an error, never a proof.
        expect(result.reason).toBeInstanceOf(ImmuError);
        refusals.push(result.reason as ImmuError);
        refused += 1;
      }
    }
    const sides = await told.sides(branches);
    expect(sides.length, 'verified on two histories').toBeLessThanOrEqual(1);
    if (sides.length > 0) verifiedRounds += 1;
    expect(refused, 'both branches answered, yet nobody was refused').toBeGreaterThan(0);
  });

  test('most rounds had calls that were verified', () => {
    // With bad luck every question of a round goes to another branch than its proof.
    expect(verifiedRounds).toBeGreaterThan(0.75 * ROUNDS);
  });

  test('two processes that share a store, each with a branch: one history is told, the other is a fork', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'immu-ts-fork-'));
    const proxies = await Promise.all([0, 1].map(() => Proxy.start(primary.address)));
    proxies.forEach((each, side) => route(() => side, each));
    const stores: SqliteRootStore[] = [];
    for (let i = 0; i < 2; i++) stores.push(await SqliteRootStore.open(join(folder, 'roots.db')));
    const events: VerificationError[] = [];
    const clients = await Promise.all(
      proxies.map(({ address }, i) =>
        pinnedClient({ address, store: stores[i]!, onFork: (fork) => events.push(fork) }),
      ),
    );
    await level(branches);
    const told = new Told();
    const errors: ImmuError[] = [];
    for (let wave = 0; wave < 6; wave++) {
      const random = randomOf(wave);
      const calls = clients.flatMap((client, i) =>
        Array.from({ length: 8 }, (_, n) => call(client, random, `shared${wave}-${i}-${n}`)),
      );
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === 'fulfilled') told.add(...result.value);
        else errors.push(result.reason as ImmuError);
      }
    }
    expect(await told.sides(branches), 'verified on two histories').toHaveLength(1);
    for (const error of errors) expect(error).toBeInstanceOf(ImmuError);
    const forks = errors.filter(({ code }) => code === 'FORK_DETECTED');
    expect(forks.length).toBeGreaterThan(0);
    expect(events).toEqual(expect.arrayContaining(forks));
    const outcomes: string[] = [];
    for await (const { evidence } of stores[0]!.audit.roots({ outcome: 'fork' })) {
      outcomes.push(evidence ? verifyEvidence(evidence).outcome : 'none');
    }
    expect(outcomes).toContain('reproduced');
    expect(outcomes).not.toContain('none');
    expect(outcomes).not.toContain('not-reproduced');
    expect(await stores[0]!.audit.verify()).toMatchObject({ ok: true });
    for (const each of [...clients, ...proxies, ...stores]) await each.close();
    await rm(folder, { recursive: true });
  });

  test('forks were told from failures', () => {
    const codes = new Set(refusals.map(({ code }) => code));
    expect(codes).toContain('VERIFICATION_FAILED');
    expect(codes).toContain('FORK_DETECTED');
  });

  /** Sends each request to the branch that `choose` names; logging in stays with the primary. */
  function route(choose: () => number, at = proxy): void {
    at.intercept = async ({ method, request, forward }) => {
      const side = method in ANSWERS ? choose() : 0;
      if (side === 0) return forward();
      const { requestDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', method);
      return responseSerialize((await branches[1].call(method, requestDeserialize(request))) as object);
    };
  }

  /** Trusts the last common tx. */
  async function pinnedClient(
    options: { address?: string; store?: RootStore; onFork?: (fork: VerificationError) => void } = {},
  ): Promise<ImmuClient> {
    const alh = (await alhOf(branches[0], COMMON)) as Buffer;
    return new ImmuClient({
      address: proxy.address,
      store: new MemoryRootStore(),
      trust: { policy: 'pinned', tx: COMMON, alh },
      credentials: { user: 'immudb', password: 'immudb', database: DATABASE },
      ...options,
    });
  }
});

/** Writes to the shorter branch until both are of one length: else one is behind the other's head, and tells no more of it. */
async function level(branches: readonly WireClient[]): Promise<void> {
  const lengths = await Promise.all(
    branches.map(async (branch) => Number((await branch.call('CurrentState')).txId)),
  );
  const longest = Math.max(...lengths);
  for (const [i, branch] of branches.entries()) {
    for (let tx = lengths[i] ?? 0; tx < longest; tx++) await put(branch, 'level', `${tx}`);
  }
}

/** What a call was told: the root it was proven under, and the value, where it read one. */
interface Proven {
  readonly root?: Root;
  readonly value?: string;
  /** A key that only one branch has, and whether it was told to be there. */
  readonly present?: string;
  readonly gone?: string;
}

/** Name of the key that only this branch has. */
function only(branch: number): string {
  return `only${branch}`;
}

/** One call of any kind, on keys that both branches have. */
async function call(client: ImmuClient, random: (below: number) => number, name: string): Promise<Proven[]> {
  const read = () => [`b${random(OWN)}`, `bulk${random(OWN)}`, `common${random(10)}`][random(3)] as string;
  switch (random(7)) {
    case 0:
      return [await client.verifiedSet(name, 'v')];
    case 1:
      return [await client.verifiedSetAll(Array.from({ length: 10 }, (_, i) => [`${name}-${i}`, 'v']))];
    case 2:
      return (await client.verifiedGetAll([...new Set([read(), read(), read()])])).flatMap(provenOf);
    case 3: {
      const key = only(random(2));
      const entry = await client.verifiedGet(key);
      return entry ? [...provenOf(entry), { present: key }] : [{ gone: key }];
    }
    default:
      return [await client.verifiedGet(read())].flatMap(provenOf);
  }
}

function provenOf(entry: VerifiedEntry | null): Proven[] {
  return entry ? [{ root: entry.root, value: valueOf(entry) }] : [];
}

function valueOf(entry: VerifiedEntry | null): string {
  return Buffer.from(entry?.value ?? []).toString();
}

/** All that one client was told. */
class Told {
  readonly #roots = new Map<string, Root>();
  readonly #values = new Set<string>();
  /** Keys that only one branch has, and that were told to be there. */
  readonly present = new Set<string>();

  add(...proven: readonly Proven[]): void {
    for (const { root, value, present } of proven) {
      if (root) this.#roots.set(`${root.tx} ${Buffer.from(root.alh).toString('hex')}`, root);
      if (present !== undefined) this.present.add(present);
      if (value !== undefined) this.#values.add(value);
    }
  }

  /** The branches that any of it is from: by the roots, and by what was read. */
  async sides(branches: readonly WireClient[]): Promise<number[]> {
    const sides = new Set<number>();
    for (const root of this.#roots.values()) {
      if (root.tx <= COMMON) continue;
      const alhs = await Promise.all(branches.map((branch) => alhOf(branch, root.tx)));
      const side = alhs.findIndex((alh) => alh?.equals(root.alh));
      expect(side, `root of tx ${root.tx} is on neither branch`).toBeGreaterThanOrEqual(0);
      sides.add(side);
    }
    for (const side of [0, 1]) if (this.#values.has(`branch ${side}`)) sides.add(side);
    return [...sides];
  }
}

async function put(wire: WireClient, key: string, value: string): Promise<void> {
  await wire.call('Set', { KVs: [{ key: Buffer.from(key), value: Buffer.from(value) }] });
}

async function alhOf(wire: WireClient, tx: bigint): Promise<Buffer | undefined> {
  const answer = await wire
    .call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) })
    .catch(() => undefined);
  return answer?.dualProof.linearProof.terms[0];
}
