// Runs a scenario with one answer changed on its way, and says what came of it.
import { VerificationError } from '#dist/index.js';
import { methodDefinition } from '#dist/wire-schema.js';
import { passOn } from './proxy.js';
import type { Passing } from './proxy.js';
import type { Scenario, Stage } from './scenarios.js';

/** A decoded answer. */
export type Message = Record<string, unknown>;

export interface Recorded {
  readonly answer: Message;
  readonly told: string;
}

export type Outcome =
  /** The answer of this run was by chance what the mutation makes of it. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'told'; readonly told: string }
  | { readonly kind: 'failed'; readonly error: string };

/** The honest answer and what comes of it. */
export async function record(stage: Stage, scenario: Scenario): Promise<Recorded> {
  let answer: Message | undefined;
  const told = await intercepted(stage, scenario, (message) => void (answer = structuredClone(message)));
  if (!answer) throw new Error(`${scenario.name}: no ${scenario.method} was sent`);
  return { answer, told };
}

export async function runMutated(
  stage: Stage,
  scenario: Scenario,
  mutate: (answer: Message) => void,
): Promise<Outcome> {
  const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', scenario.method);
  const did = { apply: false, change: false };
  try {
    const told = await intercepted(stage, scenario, (message) => {
      const before = responseSerialize(message);
      mutate(message);
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
  change: (answer: Message) => void,
): Promise<string> {
  const { responseDeserialize, responseSerialize } = methodDefinition(
    'immudb.schema.ImmuService',
    scenario.method,
  );
  let seen = 0;
  stage.proxy.intercept = async ({ method, forward }: Passing) => {
    const bytes = await forward();
    if (method !== scenario.method || seen++ !== (scenario.occurrence ?? 0)) return bytes;
    const answer = responseDeserialize(bytes) as Message;
    change(answer);
    return responseSerialize(answer);
  };
  try {
    return await scenario.run(stage);
  } finally {
    stage.proxy.intercept = passOn;
  }
}
