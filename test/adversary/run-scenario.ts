// Runs a scenario with answers changed on their way, and says what came of it for every caller.
import { VerificationError } from '#dist/index.js';
import { wireMethod } from '#dist/wire/schema.js';
import { passOn } from './proxy.js';
import type { Passing } from './proxy.js';
import { ANSWERS, NOTHING, codecOf } from './scenario.js';
import type { AnswerMethod, CallerOutcome, Message, Scenario, Told } from './scenario.js';
import type { Stage } from './stage.js';

/** An honest answer and what comes of it. */
export interface Recorded {
  readonly answer: Message;
  readonly told: readonly Told[];
}

export type Outcome =
  /** The answer of this run was by chance what the mutation makes of it. */
  | { readonly kind: 'unchanged' }
  /** Somebody was refused; nobody was told anything but the truth. */
  | { readonly kind: 'refused' }
  /** All were told the truth. */
  | { readonly kind: 'same' }
  /** Some were told that there is nothing where there is something; nobody was told anything else but the truth. */
  | { readonly kind: 'missing' }
  /** Somebody was told something else. */
  | { readonly kind: 'other'; readonly what: string }
  /** Somebody was told nothing at all: no verdict, or no end. */
  | { readonly kind: 'failed'; readonly what: string };

/** Changes an answer in place. */
export type Change = (answer: Message, method: AnswerMethod) => void;

/** The honest answer and what comes of it. */
export async function record(stage: Stage, scenario: Scenario): Promise<Recorded> {
  let answer: Message | undefined;
  const outcomes = await intercepted(stage, scenario, scenario, (message) => {
    answer = structuredClone(message);
  });
  if (!answer) throw new Error(`${scenario.name}: no such ${scenario.method} was sent`);
  return { answer, told: outcomes.map((outcome) => honestly(scenario, outcome)) };
}

function honestly({ name, refuses }: Scenario, outcome: CallerOutcome): Told {
  if (outcome.kind === 'told') return outcome.told;
  if (outcome.kind === 'refused' && refuses) return 'refused';
  throw new Error(`${name} fails without a lie`, { cause: outcome.error });
}

/** Runs with the scenario's answer changed, or (`everywhere`) with every answer handed to `change`. */
export async function runMutated(
  stage: Stage,
  scenario: Scenario,
  honest: readonly Told[],
  change: Change,
  { everywhere = false } = {},
): Promise<Outcome> {
  const did = { see: false, change: false };
  const outcomes = await intercepted(
    stage,
    scenario,
    everywhere ? undefined : scenario,
    (message, method) => {
      const before = meaning(message, method);
      change(message, method);
      did.see = true;
      did.change ||= !before.equals(meaning(message, method));
    },
  );
  if (!did.see)
    return {
      kind: 'failed',
      what: `no such ${scenario.method} to change: ${outcomes.map(describe).join(', ')}`,
    };
  const outcome = judge(honest, outcomes);
  return did.change || outcome.kind === 'other' || outcome.kind === 'failed'
    ? outcome
    : { kind: 'unchanged' };
}

/** Its bytes, without what says the same as nothing: a zero that is written out is no change of one that is not. */
function meaning(message: Message, method: AnswerMethod): Buffer {
  return wireMethod(codecOf(method)).responseSerialize(withoutZeros(message));
}

function withoutZeros<T>(value: T): T {
  if (Array.isArray(value)) return value.map((each: unknown) => withoutZeros(each)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const said = Object.entries(value).filter(
    ([, each]) =>
      ![0, '0', '', false].includes(each as never) && !(each instanceof Uint8Array && each.length === 0),
  );
  return Object.fromEntries(said.map(([name, each]) => [name, withoutZeros(each as unknown)])) as T;
}

function describe(outcome: CallerOutcome): string {
  return outcome.kind === 'told' ? outcome.told : `${outcome.kind}: ${String(outcome.error)}`;
}

function judge(honest: readonly Told[], outcomes: readonly CallerOutcome[]): Outcome {
  let kind: 'refused' | 'same' | 'missing' = 'same';
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.kind === 'failed')
      return { kind: 'failed', what: `caller ${i}: not a verification error: ${String(outcome.error)}` };
    if (outcome.kind === 'refused') kind = kind === 'missing' ? kind : 'refused';
    else if (outcome.told === honest[i]) continue;
    else if (outcome.told === NOTHING) kind = 'missing';
    else return { kind: 'other', what: `caller ${i}: ACCEPTED LIE: ${outcome.told} instead of ${honest[i]}` };
  }
  return { kind };
}

/** Runs the scenario with one answer, or with all, handed to `change` on the way. */
async function intercepted(
  stage: Stage,
  { prepare, run }: Scenario,
  chosen: Pick<Scenario, 'method' | 'asked' | 'after'> | undefined,
  change: Change,
): Promise<CallerOutcome[]> {
  await prepare?.(stage);
  let seen = 0;
  stage.proxy.intercept = async ({ method, request, forward }: Passing) => {
    const bytes = await forward();
    if (!isAnswer(method)) return bytes;
    const { requestDeserialize, responseDeserialize, responseSerialize } = wireMethod(codecOf(method));
    if (chosen) {
      if (method !== chosen.method) return bytes;
      if (chosen.asked && !chosen.asked(requestDeserialize(request) as Message, stage)) return bytes;
      if (seen++ !== (chosen.after ?? 0)) return bytes;
    }
    const answer = responseDeserialize(bytes) as Message;
    change(answer, method);
    return responseSerialize(answer);
  };
  try {
    return await run(stage);
  } catch (error) {
    // Refused before it came to its callers.
    if (error instanceof VerificationError) return [{ kind: 'refused', error }];
    throw error;
  } finally {
    stage.proxy.intercept = passOn;
  }
}

function isAnswer(method: string): method is AnswerMethod {
  return method in ANSWERS;
}
