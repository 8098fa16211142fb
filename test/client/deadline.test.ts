// When a call's time is up, on a clock that is held.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadline } from '#dist/client/flow/deadline.js';
import { codeOf, failure } from './support.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<never>(() => undefined);

test('what is left of it shrinks with time, and is never nothing', async () => {
  const deadline = new Deadline({ timeoutMs: 100 }, 1);
  expect(deadline.endsAt - deadline.startedAt).toBe(100);
  expect({ ...deadline.left }).toMatchObject({ timeoutMs: 100 });
  expect(Object.keys(deadline.left)).toEqual(['timeoutMs']);
  await vi.advanceTimersByTimeAsync(40);
  expect(deadline.left.timeoutMs).toBe(60);
  await vi.advanceTimersByTimeAsync(1000);
  expect(deadline.left.timeoutMs).toBe(1);
  const { signal } = new AbortController();
  const { left } = new Deadline({ signal }, 7);
  expect([left.timeoutMs, left.signal, Object.keys(left)]).toEqual([7, signal, ['timeoutMs', 'signal']]);
  // What is sent with it, and with more, is of the same deadline.
  expect(Deadline.of({ ...deadline.left, timeoutMs: 5 }, 9)).toBe(deadline);
  expect(Deadline.of({ timeoutMs: 5 }, 9)).not.toBe(deadline);
});

test('a wait ends when its time is up: not before, and no later', async () => {
  const deadline = new Deadline({ timeoutMs: 100 }, 1);
  await vi.advanceTimersByTimeAsync(30);
  let ended = false;
  const wait = failure(deadline.race(never, 'what does not come')).finally(() => (ended = true));
  await vi.advanceTimersByTimeAsync(69);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toBe(true);
  const { code, message } = await wait;
  expect(code).toBe('DEADLINE_EXCEEDED');
  expect(message).toBe('deadline of 100 ms passed while waiting for what does not come');
  expect(vi.getTimerCount()).toBe(0);
});

test('a wait that begins when time is up already ends at once; an answer in time ends it before', async () => {
  const deadline = new Deadline({ timeoutMs: 10 }, 1);
  await vi.advanceTimersByTimeAsync(50);
  const late = codeOf(deadline.race(never, 'it'));
  await vi.advanceTimersByTimeAsync(1);
  expect(await late).toBe('DEADLINE_EXCEEDED');
  expect(await new Deadline({}, 10).race(Promise.resolve('in time'), 'it')).toBe('in time');
  expect(vi.getTimerCount()).toBe(0);
});

test('an abort ends it, and a signal is listened to no longer than a wait takes', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const deadline = new Deadline({ signal, timeoutMs: 100 }, 1);
  const waits = [1, 2, 3].map(() => failure(deadline.race(never, 'it')));
  controller.abort(new Error('enough'));
  for (const error of await Promise.all(waits))
    expect(error).toMatchObject({ code: 'ABORTED', cause: signal.reason });
  expect(await codeOf(deadline.race(never, 'it'))).toBe('ABORTED');
  expect(vi.getTimerCount()).toBe(0);
});
