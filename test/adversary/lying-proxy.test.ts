// Every answer that a verified call builds on, with every field changed in every way, one at a time: each change must
// end in a typed verification error, or be one that is listed as harmless and tells the caller nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { isHarmless } from './harmless.js';
import { Proxy } from './proxy.js';
import { record, runMutated } from './run-scenario.js';
import type { Recorded } from './run-scenario.js';
import { SCENARIOS, setStage } from './scenarios.js';
import type { Stage } from './scenarios.js';
import { mutationsOf } from './schema-walk.js';

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
      const outcome = await runMutated(stage, scenario, mutation.apply);
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

function describe(told: string, honest: string): string {
  return told === honest
    ? 'accepted, and not listed as harmless'
    : `ACCEPTED LIE: told ${told} instead of ${honest}`;
}
