// What tests of events share: everything that clients tell, and words that must be in none of it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import type { WatchEvents, WatchName } from '#dist/index.js';

export const NAMES = [
  'immu-ts:call:start',
  'immu-ts:call',
  'immu-ts:calls',
  'immu-ts:rpc',
  'immu-ts:verify',
  'immu-ts:head',
  'immu-ts:refusal',
  'immu-ts:fork',
  'immu-ts:connection',
  'immu-ts:session',
  'immu-ts:warning',
] as const satisfies readonly WatchName[];

export interface Heard {
  /** In the order in which they were told; starts of calls as they were then. */
  readonly all: { readonly name: WatchName; readonly event: object }[];
  of<N extends WatchName>(name: N): WatchEvents[N][];
}

/** Listens to one client, until the test ends. */
export function hear(client: string, names: readonly WatchName[] = NAMES): Heard {
  const all: { name: WatchName; event: object }[] = [];
  for (const name of names) {
    const listener = (event: unknown) => {
      if ((event as { client: string }).client !== client) return;
      all.push({ name, event: name === 'immu-ts:call:start' ? { ...(event as object) } : (event as object) });
    };
    subscribe(name, listener);
    onTestFinished(() => void unsubscribe(name, listener));
  }
  return {
    all,
    of: <N extends WatchName>(name: N) =>
      all.filter((heard) => heard.name === name).map(({ event }) => event as WatchEvents[N]),
  };
}

/** As text, base64 and hex, anywhere in it. */
export function expectWithout(told: unknown, words: readonly string[]): void {
  const text = inspect(told, { depth: 12, maxArrayLength: null, maxStringLength: null, showHidden: true });
  for (const word of words)
    for (const form of [
      word,
      Buffer.from(word).toString('base64'),
      Buffer.from(word).toString('hex'),
      inspect(Buffer.from(word)),
    ])
      expect(text).not.toContain(form);
}
