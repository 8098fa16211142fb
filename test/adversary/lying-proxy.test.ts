// Every answer that a verified call builds on, with every field changed in every way, one at a time: each change must
// end in a typed verification error, or be one that is listed as harmless and tells nobody anything else. Callers that
// shared a request with a refused one are told the truth, or refused as well.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { TestImmudb } from '../support/immudb.js';
import {
  describePrivate,
  describeReal,
  describeServer,
  freshDatabase,
  sharedImmudb,
} from '../support/real.js';
import { harmless } from './harmless.js';
import { Proxy } from './proxy.js';
import { record, runMutated } from './run-scenario.js';
import type { Recorded } from './run-scenario.js';
import { ANSWERS } from './scenario.js';
import type { Scenario } from './scenario.js';
import { DOCUMENTS, noteVersions, setDocuments } from './scenarios/documents.js';
import { headScenarios } from './scenarios/heads.js';
import { KEYED } from './scenarios/keyed.js';
import { LATEST, setSmallStage } from './scenarios/latest.js';
import { LONE_READS, LONE_WRITES } from './scenarios/lone.js';
import { GROUPED_OPERATIONS, LONE_OPERATIONS } from './scenarios/operations.js';
import { GROUPED_READS } from './scenarios/reads.js';
import { SCANS } from './scenarios/scans.js';
import { TABLES, setTables } from './scenarios/tables.js';
import { TX_READS } from './scenarios/txs.js';
import { GROUPED_WRITES } from './scenarios/writes.js';
import { setStage } from './stage.js';
import type { Stage } from './stage.js';
import { mutationsOf } from './schema-walk.js';
import type { Mutation } from './schema-walk.js';

// Hundreds of answers each, on machines that have other suites to run.
vi.setConfig({ testTimeout: 120_000 });

const total = {
  calls: 0,
  fields: new Set<string>(),
  mutations: 0,
  rejected: 0,
  harmless: 0,
  accepted: 0,
};

afterAll(() => {
  console.log(
    `lying proxy: ${total.calls} calls × ${total.fields.size} fields, ${total.mutations} mutations: ` +
      `${total.rejected} rejected, ${total.harmless} harmless, ` +
      `${total.accepted} accepted`,
  );
});

describeServer('a lying proxy', () => {
  let proxy: Proxy;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  // Writes make the database grow, and with it the proofs of reads change: they have one of their own.
  suite([...LONE_READS, ...GROUPED_READS, ...TX_READS], async () =>
    setStage(proxy, sharedImmudb(), await freshDatabase()),
  );
  // These ask the server past the proxy, over a session that must not have idled.
  suite(headScenarios(), async () => setStage(proxy, sharedImmudb(), await freshDatabase()));
  suite(LATEST, async () => setSmallStage(proxy, sharedImmudb(), await freshDatabase()));
  suite(SCANS, async () => setStage(proxy, sharedImmudb(), await freshDatabase()));
  suite([...LONE_WRITES, ...GROUPED_WRITES, ...LONE_OPERATIONS, ...GROUPED_OPERATIONS], async () =>
    setStage(proxy, sharedImmudb(), await freshDatabase()),
  );
});

describeReal('a lying proxy before documents', () => {
  let proxy: Proxy;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  suite(DOCUMENTS, async () => {
    const stage = await setStage(proxy, sharedImmudb(), await freshDatabase());
    await setDocuments(stage);
    await noteVersions(stage);
    return stage;
  });
});

describeReal('a lying proxy before tables', () => {
  let proxy: Proxy;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  suite(TABLES, async () => setTables(proxy, sharedImmudb(), await freshDatabase()));
});

describePrivate('a lying proxy before a server that signs', () => {
  let server: TestImmudb;
  let proxy: Proxy;

  beforeAll(async () => {
    server = await TestImmudb.start({ signing: true });
    proxy = await Proxy.start(server.address);
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  suite(KEYED, async () =>
    setStage(proxy, server.address, await freshDatabase(server.address), {
      serverPublicKey: server.publicKeyPem as string,
    }),
  );
});

function suite(scenarios: readonly Scenario[], set: () => Promise<Stage>): void {
  let stage: Promise<Stage> | undefined;
  /** Honest answers by the name of their scenario. */
  const recorded = new Map<string, Recorded>();

  afterAll(async () => (await stage)?.[Symbol.asyncDispose]());

  test.for(scenarios)('$name', { timeout: 300_000 }, async (scenario) => {
    stage ??= set();
    const { name, method } = scenario;
    const honest = await record(await stage, scenario);
    expect((await record(await stage, scenario)).told).toEqual(honest.told);
    // Another scenario's answer of the same kind, to put its parts in place of this one's.
    const donor = scenarios.findLast((other) => recorded.has(other.name) && ofOneKind(other, scenario));
    recorded.set(name, honest);
    const { answer = {} } = recorded.get(donor?.name ?? '') ?? {};
    const mutations = mutationsOf(ANSWERS[method], honest.answer, answer);
    expect(mutations.length).toBeGreaterThan(10);
    total.calls += 1;
    const wrong: string[] = [];
    for (const mutation of mutations) {
      const fault = await tried(await stage, scenario, honest, mutation);
      if (fault) wrong.push(`${mutation.path} ${mutation.kind}: ${fault}`);
    }
    total.accepted += wrong.length;
    expect(wrong, wrong.slice(0, 40).join('\n')).toEqual([]);
    // What was refused left nothing behind.
    expect((await record(await stage, scenario)).told).toEqual(honest.told);
  });
}

function ofOneKind(a: Scenario, b: Scenario): boolean {
  return ANSWERS[a.method] === ANSWERS[b.method];
}

/** Why the mutation must not pass; undefined when it was refused, or is listed as harmless and was. */
async function tried(
  stage: Stage,
  scenario: Scenario,
  honest: Recorded,
  { field, kind, apply }: Mutation,
): Promise<string | undefined> {
  const outcome = await runMutated(stage, scenario, honest.told, apply);
  if (outcome.kind === 'unchanged') return undefined;
  total.mutations += 1;
  total.fields.add(`${scenario.name}: ${field}`);
  if (outcome.kind === 'failed') return outcome.what;
  if (outcome.kind === 'refused') {
    total.rejected += 1;
    return undefined;
  }
  const row = harmless({ scenario, field, kind, outcome: outcome.kind });
  if (!row) return 'what' in outcome ? outcome.what : `${outcome.kind}: accepted, and not listed as harmless`;
  total.harmless += 1;
  return undefined;
}
