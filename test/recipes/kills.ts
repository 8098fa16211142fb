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

export const keyOf = (i: number) => `order/${i}`;
export const valueOf = (i: number) => `{"order":${i},"cents":${(i * 7919) % 100_000}}`;

const LOOK_AGAIN_AFTER_MS = 3;
const WITHIN_MS = 60_000;
/** Within it a process writes what it was handed. */
const SOON_MS = 150;

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
 * The recipe runs `kills` times until SIGKILL, and once more to the end. It is killed at a random moment: every other time soon after
 * it was handed the first message, else while messages come that were handed out before. Returns how many messages were pending at
 * each kill, which another process had to write or to find written.
 */
export async function killAgainAndAgain(
  recipe: Recipe,
  stage: Stage,
  { records, kills, comesAgainAfterMs }: Plan,
): Promise<number[]> {
  const held: number[] = [];
  let published = 0;
  const publishPart = async () => {
    const to = Math.min(records, published + Math.ceil(records / (kills + 1)));
    await stage.publish(published, to);
    published = to;
  };
  for (let kill = 0; kill < kills; kill++) {
    await publishPart();
    const { delivered } = await stage.state();
    recipe.start();
    await until('handed a message', recipe, async () => (await stage.state()).delivered > delivered);
    await sleep(Math.random() * (kill % 2 === 0 ? SOON_MS : comesAgainAfterMs + SOON_MS));
    expect(await recipe.end('SIGKILL')).toBe('SIGKILL');
    held.push((await stage.state()).pending);
  }
  await publishPart();
  recipe.start();
  await untilDone(recipe, stage);
  return held;
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
  const client = new ImmuClient({
    address,
    credentials: { user: 'immudb', password: 'immudb' },
    store: new MemoryRootStore(),
  });
  const found = new Map<string, string[]>();
  try {
    for await (const { entries } of client.verifiedTransactions({ entries: 'raw', kinds: ['key'] }))
      for (const entry of entries) {
        if (entry.kind !== 'key') continue;
        const key = Buffer.from(entry.key).toString();
        const value = entry.value && Buffer.from(entry.value).toString();
        found.set(key, [...(found.get(key) ?? []), value ?? '']);
      }
  } finally {
    await client.close();
  }
  return found;
}

/** Nothing lost, nothing twice, nothing else, each with its value. */
export async function expectOnce(address: string, records: number): Promise<void> {
  const found = await versions(address);
  const wrong: string[] = [];
  for (let i = 0; i < records; i++) {
    const have = found.get(keyOf(i)) ?? [];
    if (have.length !== 1 || have[0] !== valueOf(i)) wrong.push(`${keyOf(i)}: ${have.join(' | ')}`);
    found.delete(keyOf(i));
  }
  expect({ wrong: wrong.length, some: wrong.slice(0, 5), others: [...found.keys()] }).toEqual({
    ...{ wrong: 0, some: [], others: [] },
  });
}
