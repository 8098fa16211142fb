// What bounds the calls that a client holds, and how each of them ends on its own.
import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '#dist/client/flow/deadline.js';
import { AdaptiveSize } from '#dist/client/group/adaptive-size.js';
import { Admission } from '#dist/client/flow/admission.js';
import { WaitingLine } from '#dist/client/flow/waiting-call.js';
import { InFlightGate } from '#dist/client/flow/in-flight-gate.js';
import { codeOf, failure } from '../support.js';

const deadline = (timeoutMs = 60_000, signal?: AbortSignal) =>
  new Deadline({ timeoutMs, ...(signal && { signal }) }, 1);

describe('admission', () => {
  const LIMITS = { maxQueuedCalls: 2, maxQueuedBytes: 100 };

  test('lets calls in until there are too many, or too many bytes', () => {
    const admission = new Admission({ ...LIMITS, overload: 'fail' });
    expect(admission.enter(10, deadline())).toBeUndefined();
    expect(admission.enter(20, deadline())).toBeUndefined();
    expect([admission.calls, admission.bytes]).toEqual([2, 30]);
    expect(() => admission.enter(1, deadline())).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    admission.leave(10);
    // One large call is let in whatever its size, or it never would be.
    expect(admission.enter(1000, deadline())).toBeUndefined();
    admission.leave(20);
    expect([admission.calls, admission.bytes]).toEqual([1, 1000]);
    expect(() => admission.enter(0, deadline())).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    admission.leave(1000);
    expect([admission.calls, admission.bytes]).toEqual([0, 0]);
  });

  test('has the others wait in order, and refuses what is too much even for that', async () => {
    const admission = new Admission({ ...LIMITS, overload: 'wait' });
    for (let i = 0; i < 2; i++) expect(admission.enter(1, deadline())).toBeUndefined();
    const entered: string[] = [];
    const waits = ['a', 'b'].map((name) =>
      admission.enter(1, deadline())?.then(() => {
        entered.push(name);
      }),
    );
    expect(() => admission.enter(1, deadline())).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    admission.leave(1);
    await waits[0];
    expect(entered).toEqual(['a']);
    expect(admission.calls).toBe(2);
    admission.leave(1);
    await waits[1];
    expect(entered).toEqual(['a', 'b']);
  });

  test('ready() gives what is under way a turn now and then, however much room there is', async () => {
    const admission = new Admission({ maxQueuedCalls: 10_000, maxQueuedBytes: 1e6, overload: 'wait' });
    const turns: number[] = [];
    for (let i = 1; i <= 3000; i++) {
      const turn = new Set<number>();
      setImmediate(() => turn.add(i));
      await admission.ready();
      if (turn.size > 0) turns.push(admission.calls);
      void admission.enter(1, deadline());
    }
    expect(turns).toEqual([1024, 2048]);
  });

  test('nobody overtakes those who wait', async () => {
    const admission = new Admission({ maxQueuedCalls: 1, maxQueuedBytes: 100, overload: 'wait' });
    void admission.enter(1, deadline());
    const first = admission.enter(1, deadline());
    admission.leave(1);
    // There is room, but it was given to the one who waited.
    expect(admission.enter(1, deadline())).toBeInstanceOf(Promise);
    await first;
    expect(admission.calls).toBe(1);
  });

  test('whoever gives up in line takes no room', async () => {
    const admission = new Admission({ ...LIMITS, overload: 'wait' });
    for (let i = 0; i < 2; i++) void admission.enter(1, deadline());
    const controller = new AbortController();
    const aborted = admission.enter(50, deadline(60_000, controller.signal)) as Promise<void>;
    const late = admission.enter(50, deadline(1)) as Promise<void>;
    controller.abort();
    const error = await failure(aborted);
    expect(error.code).toBe('ABORTED');
    expect(error.message).toContain('room');
    expect(await codeOf(late)).toBe('DEADLINE_EXCEEDED');
    expect(admission.calls).toBe(2);
    admission.leave(1);
    expect([admission.calls, admission.bytes]).toEqual([1, 1]);
    expect(admission.enter(1, deadline())).toBeUndefined();
  });

  test('ready is told at once when there is room, else when half of it is free', async () => {
    const admission = new Admission({ maxQueuedCalls: 4, maxQueuedBytes: 1000, overload: 'fail' });
    await admission.ready();
    for (let i = 0; i < 4; i++) void admission.enter(1, deadline());
    let ready = 0;
    const told = [admission.ready(), admission.ready()].map((each) => each.then(() => ready++));
    admission.leave(1);
    await Promise.resolve();
    expect(ready).toBe(0);
    admission.leave(1);
    await Promise.all(told);
    expect(ready).toBe(2);
  });

  test('closing refuses those who wait, and tells those who asked', async () => {
    const admission = new Admission({ maxQueuedCalls: 1, maxQueuedBytes: 100, overload: 'wait' });
    void admission.enter(1, deadline());
    const waiting = admission.enter(1, deadline()) as Promise<void>;
    const ready = admission.ready();
    admission.close('the client');
    expect(await codeOf(waiting)).toBe('CLOSED');
    await ready;
  });
});

describe('calls in line', () => {
  test('end once, whoever ends them, and give back what they hold', async () => {
    const left: number[] = [];
    const line = new WaitingLine('an answer', (weight) => left.push(weight));
    const [a, b, c] = [1, 2, 3].map((weight) => line.add<string>(deadline(), weight));
    a!.resolve('done');
    a!.reject(new Error('too late'));
    b!.reject(new Error('failed'));
    b!.resolve('too late');
    c!.follow(Promise.resolve('followed'));
    expect(await a!.promise).toBe('done');
    await expect(b!.promise).rejects.toThrow('failed');
    expect(await c!.promise).toBe('followed');
    expect(left).toEqual([1, 2, 3]);
    expect(line.size).toBe(0);
    const d = line.add<string>(deadline(), 4);
    d.follow(Promise.reject(new Error('followed')));
    await expect(d.promise).rejects.toThrow('followed');
  });

  test('may end in any order', async () => {
    const left: number[] = [];
    const line = new WaitingLine('an answer', (weight) => left.push(weight));
    const calls = [0, 1, 2, 3, 4].map((weight) => line.add<number>(deadline(), weight));
    for (const i of [2, 0, 4]) calls[i]!.resolve(i);
    expect([line.size, left]).toEqual([2, [2, 0, 4]]);
    const more = line.add<number>(deadline(), 5);
    line.close('the client');
    expect([line.size, left]).toEqual([0, [2, 0, 4, 1, 3, 5]]);
    expect(await Promise.all([calls[1]!, calls[3]!, more].map(({ promise }) => codeOf(promise)))).toEqual(
      Array<string>(3).fill('CLOSED'),
    );
  });

  test('end each at its own deadline', async () => {
    const line = new WaitingLine('an answer', () => undefined);
    const patient = line.add<string>(deadline(), 0);
    const late = [30, 10, 20].map((ms) => line.add<string>(deadline(ms), 0));
    for (const error of await Promise.all(late.map(({ promise }) => failure(promise)))) {
      expect(error.code).toBe('DEADLINE_EXCEEDED');
      expect(error.message).toMatch(/deadline of \d0 ms passed while waiting for an answer/);
    }
    expect([line.size, patient.settled]).toEqual([1, false]);
    patient.resolve('done');
    expect(await patient.promise).toBe('done');
  });

  test('end when their time is up: not before, and no later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const line = new WaitingLine('an answer', () => undefined);
      const times = [5, 1, 250, 90, 110, 30_000, 99.5, 90];
      const ended = new Map<number, string>();
      const waits = times.map((ms, i) => {
        const call = line.add<string>(deadline(Math.ceil(ms)), 0);
        return { ms: Math.ceil(ms), i, call };
      });
      for (const { call, i } of waits)
        call.promise.catch((error: unknown) => ended.set(i, (error as { code: string }).code));
      let now = 0;
      for (const at of [0, 1, 4, 5, 89, 90, 99, 100, 109, 110, 249, 250, 29_999, 30_000]) {
        await vi.advanceTimersByTimeAsync(at - now);
        now = at;
        const due = waits.filter(({ ms }) => ms <= at).map(({ i }) => i);
        expect(
          [...ended.keys()].sort((a, b) => a - b),
          `after ${at} ms`,
        ).toEqual(due);
      }
      expect(new Set(ended.values())).toEqual(new Set(['DEADLINE_EXCEEDED']));
      expect([line.size, vi.getTimerCount()]).toEqual([0, 0]);
      // One that comes later and ends sooner; one that is answered in between.
      const late = line.add<string>(deadline(1000), 0);
      const soon = line.add<string>(deadline(10), 0);
      const answered = line.add<string>(deadline(5), 0);
      answered.resolve('done');
      const told = codeOf(soon.promise);
      await vi.advanceTimersByTimeAsync(9);
      expect([soon.settled, late.settled]).toEqual([false, false]);
      await vi.advanceTimersByTimeAsync(1);
      expect([await told, late.settled]).toEqual(['DEADLINE_EXCEEDED', false]);
      late.resolve('done');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('who has given up before is told that nothing was sent', async () => {
    const line = new WaitingLine('an answer to the write, which may have happened', () => undefined);
    const call = line.add<string>(deadline(1000, AbortSignal.abort()), 0);
    expect([call.settled, line.size]).toEqual([true, 0]);
    expect((await failure(call.promise)).message).toContain('nothing was sent');
  });

  test('end by their own signal, and listen to it no longer than they wait', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const noting = new Proxy(signal, {
      get(target, name: keyof AbortSignal) {
        if (name === 'addEventListener') listeners++;
        if (name === 'removeEventListener') listeners--;
        const value = target[name] as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const line = new WaitingLine('an answer', () => undefined);
    const done = line.add<string>(deadline(60_000, noting), 0);
    const aborted = line.add<string>(deadline(60_000, noting), 0);
    const other = line.add<string>(deadline(), 0);
    // One for all who share the signal: an EventTarget goes through all of its listeners whenever one comes or goes.
    expect(listeners).toBe(1);
    done.resolve('done');
    expect(listeners).toBe(1);
    controller.abort(new Error('why'));
    const error = await failure(aborted.promise);
    expect(error).toMatchObject({ code: 'ABORTED', cause: signal.reason });
    expect([listeners, line.size, other.settled]).toEqual([0, 1, false]);
    line.close('the client');
    expect(await codeOf(other.promise)).toBe('CLOSED');
  });
});

describe('200,000 calls in a full line', () => {
  // Each of these took the square of it: a quarter of an hour, or more than a test may take.
  const COUNT = 200_000;

  test('that are given up together leave it, and take no room', async () => {
    const controller = new AbortController();
    const admission = new Admission({ maxQueuedCalls: COUNT, maxQueuedBytes: COUNT, overload: 'wait' });
    for (let i = 0; i < COUNT; i++) void admission.enter(0, deadline());
    const waits = Array.from({ length: COUNT }, () =>
      admission.enter(0, deadline(60_000, controller.signal)),
    );
    expect(() => admission.enter(0, deadline())).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    controller.abort();
    const ended = await Promise.allSettled(waits as Promise<void>[]);
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
    // Their places in line are free at once.
    const next = admission.enter(0, deadline());
    admission.leave(0);
    await next;
    expect(admission.calls).toBe(COUNT);
  });

  test('that end at their deadlines, which are all different', async () => {
    const line = new WaitingLine('an answer', () => undefined);
    const waits = Array.from({ length: COUNT }, (_, i) => line.add(deadline(1 + (i % 1500)), 0).promise);
    expect((await Promise.allSettled(waits)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(line.size).toBe(0);
  });

  test('that wait for a place on the wire', async () => {
    const controller = new AbortController();
    const gate = new InFlightGate(1, 'the client');
    await gate.enter(deadline(), 'room');
    const waits = Array.from({ length: COUNT }, (_, i) =>
      gate.enter(i % 2 ? deadline(60_000, controller.signal) : deadline(), 'room'),
    );
    controller.abort();
    for (let i = 0; i < COUNT / 2; i++) gate.leave();
    const ended = await Promise.allSettled(waits);
    expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(COUNT / 2);
  });
});

describe('the size of groups', () => {
  test('is learnt from items that went out on their own: what large ones taught is soon unlearnt', () => {
    const size = new AdaptiveSize(1024, 1024 * 1024);
    for (let i = 0; i < 20; i++) size.learn(100 * 500, 500);
    expect(size.limit).toBe(1024);
    // Two values of 5 MB in one answer: the next ones go one by one.
    size.learn(10_000_000, 2);
    expect(size.limit).toBe(1);
    let alone = 0;
    for (; size.limit < 2; alone++) size.learn(100, 1);
    expect(alone).toBeLessThan(10);
    let groups = 0;
    for (; size.limit < 500; groups++) size.learn(100 * size.limit, size.limit);
    expect(groups).toBeLessThan(20);
  });

  test('is learnt upwards too: large items that went out on their own are not put together', () => {
    const size = new AdaptiveSize(1024, 1024 * 1024);
    for (let i = 0; i < 5; i++) size.learn(30 * 1024 * 1024, 1);
    expect(size.limit).toBe(1);
  });

  test('hardly moves for one large item among many small ones', () => {
    const size = new AdaptiveSize(1024, 1024 * 1024);
    for (let i = 0; i < 20; i++) {
      size.learn(100 * 499 + 5_000_000, 500);
      size.learn(100 * 500, 500);
    }
    expect(size.limit).toBeGreaterThan(500);
  });

  test('grows and shrinks with what items turn out to take', () => {
    const size = new AdaptiveSize(1000, 100_000);
    expect(size.limit).toBe(97);
    for (let i = 0; i < 50; i++) size.learn(100 * 50, 50);
    expect(size.limit).toBeGreaterThan(900);
    for (let i = 0; i < 50; i++) size.learn(50_000 * 50, 50);
    expect(size.limit).toBe(2);
    for (let i = 0; i < 50; i++) size.learn(5_000_000, 1);
    expect(size.limit).toBe(1);
    for (let i = 0; i < 100; i++) size.learn(0, 1);
    expect(size.limit).toBe(1000);
  });

  test('is halved by refusals, down to one, and finds back', () => {
    const size = new AdaptiveSize(64, 1 << 30);
    size.tooLarge(64);
    expect(size.limit).toBe(32);
    size.tooLarge(3);
    expect(size.limit).toBe(1);
    size.tooLarge(1);
    expect(size.limit).toBe(1);
    const limits = Array.from({ length: 8 }, () => {
      size.learn(size.limit, size.limit);
      return size.limit;
    });
    expect(limits).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
    // A group that was smaller than the limit says nothing about it.
    size.tooLarge(20);
    size.learn(1, 1);
    expect(size.limit).toBe(10);
  });
});
