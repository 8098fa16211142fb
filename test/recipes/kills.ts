// Kills a recipe at random moments while messages come in, and holds what the database has in the end against what was published.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { Recipe } from './recipe.js';

/** The broker's side. */
export interface Stage {
  /** Messages of these numbers, each with its {@link keyOf} and {@link valueOf}. */
  publish(from: number, to: number): Promise<void>;
  /** How many messages were ever handed out, wait to be acknowledged, and were never handed out. */
  state(): Promise<{ readonly delivered: number; readonly pending: number; readonly waiting: number }>;
}

const PREFIX = 'order/';
export const keyOf = (i: number) => `${PREFIX}${i}`;
export const valueOf = (i: number) => `{"order":${i},"cents":${(i * 7919) % 100_000}}`;

const LOOK_AGAIN_AFTER_MS = 3;
const WITHIN_MS = 60_000;
/** Within it a process that has begun to write is through with what it was handed. */
const SOON_MS = 150;
/** Within it a process that stood still has sent what it had in hand. */
const GOES_ON_MS = 1000;

function clientOf(address: string): ImmuClient {
  const credentials = { user: 'immudb', password: 'immudb' };
  return new ImmuClient({ address, credentials, store: new MemoryRootStore() });
}

async function until(what: string, recipe: Recipe, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WITHIN_MS;
  while (!(await isSo())) {
    if (!recipe.isRunning) throw new Error(`the recipe ended: ${recipe.said}`);
    if (Date.now() > end) throw new Error(`not ${what} within ${WITHIN_MS} ms: ${recipe.said}`);
    await sleep(LOOK_AGAIN_AFTER_MS);
  }
}

export interface Plan {
  readonly records: number;
  readonly kills: number;
  /** After how long the broker gives what a killed process held to another one. */
  readonly comesAgainAfterMs: number;
}

/**
 * The recipe runs `kills` times until SIGKILL, and once more to the end. It is killed at a random moment after its first write: every
 * other time soon, else while messages come that were handed out before. Returns for each kill how many messages were written and not
 * acknowledged: without `once` they are written twice.
 */
export async function killAgainAndAgain(
  recipe: Recipe,
  stage: Stage,
  address: string,
  { records, kills, comesAgainAfterMs }: Plan,
): Promise<number[]> {
  await using client = clientOf(address);
  const written = async () => Number(await client.count(PREFIX));
  const between: number[] = [];
  let published = 0;
  const publishPart = async () => {
    const to = Math.min(records, published + Math.ceil(records / (kills + 1)));
    await stage.publish(published, to);
    published = to;
  };
  for (let kill = 0; kill < kills; kill++) {
    await publishPart();
    const before = await written();
    recipe.start();
    await until('written', recipe, async () => (await written()) > before);
    await sleep(Math.random() * (kill % 2 === 0 ? SOON_MS : comesAgainAfterMs + SOON_MS));
    expect(await recipe.end('SIGKILL')).toBe('SIGKILL');
    const { pending, waiting } = await stage.state();
    between.push((await written()) - (published - pending - waiting));
  }
  await publishPart();
  recipe.start();
  await untilDone(recipe, stage);
  return between;
}

/**
 * Two processes share the messages of these numbers; one is killed soon after the first write, and the other one has to do its part too,
 * long after its own first records.
 */
export async function killOneOfTwo(
  [killed, survivor]: readonly [Recipe, Recipe],
  stage: Stage,
  address: string,
  [from, to]: readonly [number, number],
): Promise<void> {
  await using client = clientOf(address);
  const before = await client.count(PREFIX);
  killed.start();
  survivor.start();
  await stage.publish(from, to);
  await until('written', killed, async () => (await client.count(PREFIX)) > before);
  await sleep(Math.random() * SOON_MS);
  expect(await killed.end('SIGKILL')).toBe('SIGKILL');
  await untilDone(survivor, stage);
}

/**
 * Two processes share the messages of these numbers; one stands still from soon after the first write until the other one has done all
 * there is, and then goes on with what it had in hand.
 */
export async function freezeOneOfTwo(
  [frozen, other]: readonly [Recipe, Recipe],
  stage: Stage,
  address: string,
  [from, to]: readonly [number, number],
): Promise<void> {
  await using client = clientOf(address);
  const before = await client.count(PREFIX);
  await stage.publish(from, to);
  frozen.start();
  await until('written', frozen, async () => (await client.count(PREFIX)) > before);
  frozen.signal('SIGSTOP');
  other.start();
  await untilDone(other, stage);
  frozen.signal('SIGCONT');
  await sleep(GOES_ON_MS);
  await untilDone(frozen, stage);
}

/** Until everything that was published is acknowledged; then it is asked to stop, which it has to do by itself. */
export async function untilDone(recipe: Recipe, stage: Stage): Promise<void> {
  await until('all acknowledged', recipe, async () => {
    const { pending, waiting } = await stage.state();
    return pending + waiting === 0;
  });
  expect([await recipe.end('SIGTERM'), recipe.said]).toEqual([0, '']);
}

/** Every version that the database has of every key, in order. */
export async function versions(address: string): Promise<Map<string, string[]>> {
  await using client = clientOf(address);
  const found = new Map<string, string[]>();
  for await (const { entries } of client.verifiedTransactions({ entries: 'raw', kinds: ['key'] }))
    for (const entry of entries) {
      if (entry.kind !== 'key') continue;
      const key = Buffer.from(entry.key).toString();
      const value = entry.value && Buffer.from(entry.value).toString();
      found.set(key, [...(found.get(key) ?? []), value ?? '']);
    }
  return found;
}

/** Of the messages of these numbers nothing is lost, nothing is twice, each has its value; and there is nothing behind them. */
export async function expectOnce(address: string, from: number, to: number): Promise<void> {
  const found = await versions(address);
  const wrong: string[] = [];
  for (let i = 0; i < to; i++) {
    const have = found.get(keyOf(i)) ?? [];
    if (i >= from && (have.length !== 1 || have[0] !== valueOf(i)))
      wrong.push(`${keyOf(i)}: ${have.join(' | ')}`);
    found.delete(keyOf(i));
  }
  expect({ wrong: wrong.length, some: wrong.slice(0, 5), others: [...found.keys()] }).toEqual({
    ...{ wrong: 0, some: [], others: [] },
  });
}
