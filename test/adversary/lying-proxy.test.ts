// Every answer that a verified call builds on, with every field changed in every way, one at a time: each change must
// end in a typed verification error, or be one that is listed as harmless and tells the caller nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VerificationError } from '#dist/index.js';
import { methodDefinition } from '#dist/wire-schema.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { isHarmless } from './harmless.js';
import { Proxy } from './proxy.js';
import type { Passing } from './proxy.js';
import { SCENARIOS, setStage } from './scenarios.js';
import type { Scenario, Stage } from './scenarios.js';
import { mutationsOf } from './schema-walk.js';
import type { Mutation } from './schema-walk.js';

const total = { calls: 0, fields: new Set<string>(), mutations: 0, rejected: 0, harmless: 0, accepted: 0 };

describeReal('a lying proxy', () => {
  let proxy: Proxy;
  let stage: Stage;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
    stage = await setStage(proxy, sharedImmudb(), await freshDatabase());
  });

  afterAll(async () => {
    console.log(
      `lying proxy: ${total.calls} calls × ${total.fields.size} fields, ${total.mutations} mutations: ` +
        `${total.rejected} rejected, ${total.harmless} harmless, ${total.accepted} accepted`,
    );
    await stage.client.close();
    stage.wire.close();
    await proxy.close();
  });

  test.for(SCENARIOS)('$name', { timeout: 300_000 }, async (scenario) => {
    const recorded = [await record(stage, scenario), await record(stage, scenario)];
    const [honest, donor] = recorded as [Recorded, Recorded];
    expect(donor.told).toBe(honest.told);
    const mutations = mutationsOf(scenario.type, honest.answer, donor.answer);
    expect(mutations.length).toBeGreaterThan(10);
    const wrong: string[] = [];
    total.calls += 1;
    for (const mutation of mutations) {
      const outcome = await runMutated(stage, scenario, mutation);
      if (outcome.kind === 'unchanged') continue;
      total.mutations += 1;
      total.fields.add(`${scenario.name}: ${mutation.field}`);
      if (outcome.kind === 'refused') total.rejected += 1;
      else if (
        outcome.kind === 'told' &&
        outcome.told === honest.told &&
        isHarmless(mutation.field, mutation.kind)
      ) {
        total.harmless += 1;
      } else {
        total.accepted += 1;
        wrong.push(
          `${mutation.path} ${mutation.kind}: ${outcome.kind === 'told' ? describe(outcome.told, honest.told) : outcome.error}`,
        );
      }
    }
    expect(wrong, wrong.slice(0, 40).join('\n')).toEqual([]);
  });
});

interface Recorded {
  readonly answer: Record<string, unknown>;
  readonly told: string;
}

type Outcome =
  /** The answer of this run was by chance what the mutation makes of it. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'told'; readonly told: string }
  | { readonly kind: 'failed'; readonly error: string };

function describe(told: string, honest: string): string {
  return told === honest
    ? 'accepted, and not listed as harmless'
    : `ACCEPTED LIE: told ${told} instead of ${honest}`;
}

/** The honest answer and what comes of it. */
async function record(stage: Stage, scenario: Scenario): Promise<Recorded> {
  let answer: Record<string, unknown> | undefined;
  const told = await intercepted(stage, scenario, (message) => void (answer = structuredClone(message)));
  if (!answer) throw new Error(`${scenario.name}: no ${scenario.method} was sent`);
  return { answer, told };
}

async function runMutated(stage: Stage, scenario: Scenario, mutation: Mutation): Promise<Outcome> {
  const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', scenario.method);
  const did = { apply: false, change: false };
  try {
    const told = await intercepted(stage, scenario, (message) => {
      const before = responseSerialize(message);
      mutation.apply(message);
      did.change = !before.equals(responseSerialize(message));
      did.apply = true;
    });
    if (did.apply && !did.change) return { kind: 'unchanged' };
    if (!did.apply) return { kind: 'failed', error: `no ${scenario.method} to change` };
    return { kind: 'told', told };
  } catch (error) {
    if (error instanceof VerificationError && did.apply) return { kind: 'refused' };
    return { kind: 'failed', error: `not a verification error: ${String(error)}` };
  }
}

/** Runs the scenario with one answer handed to `change` on its way. */
async function intercepted(
  stage: Stage,
  scenario: Scenario,
  change: (answer: Record<string, unknown>) => void,
): Promise<string> {
  const { responseDeserialize, responseSerialize } = methodDefinition(
    'immudb.schema.ImmuService',
    scenario.method,
  );
  let seen = 0;
  stage.proxy.intercept = async ({ method, forward }: Passing) => {
    const bytes = await forward();
    if (method !== scenario.method || seen++ !== (scenario.occurrence ?? 0)) return bytes;
    const answer = responseDeserialize(bytes) as Record<string, unknown>;
    change(answer);
    return responseSerialize(answer);
  };
  try {
    return await scenario.run(stage);
  } finally {
    stage.proxy.intercept = ({ forward }) => forward();
  }
}
