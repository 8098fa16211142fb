// Whether the server still stands where it was trusted: asked once for all who need to know, and again for whoever needs a
// later answer, or one over another connection.
import { beforeEach, describe, expect, test } from 'vitest';
import { Standing } from '#dist/client/trust/head/standing.js';
import { TransportError, VerificationError } from '#dist/errors.js';
import { Gate } from './fake-immudb.js';
import { rejection } from './support.js';

let connection: number;
let asked: string[];
let doubts: number;
let gate: Gate;
let outcome: () => Promise<void>;
let standing: Standing;

beforeEach(() => {
  connection = 0;
  asked = [];
  doubts = 0;
  gate = new Gate();
  gate.open();
  outcome = () => Promise.resolve();
  standing = new Standing({
    prove: async (operation) => {
      asked.push(operation);
      await gate.pass();
      await outcome();
    },
    connection: () => connection,
    onDoubt: () => (doubts += 1),
    again: (refusal, operation) =>
      Promise.resolve(new VerificationError(refusal.code as Code, `again for ${operation}`, EVIDENCE)),
  });
});

const EVIDENCE = { server: 's', database: 'd', check: 'c' };
type Code = 'VERIFICATION_FAILED' | 'FORK_DETECTED' | 'SERVER_BEHIND_TRUST';
const refusal = (code: Code) => new VerificationError(code, 'refused', EVIDENCE);

test('is not known at first; once it was proven, nothing is asked for what was asked before', async () => {
  const since = performance.now();
  expect([standing.isProven(since), standing.holdsBack]).toEqual([false, false]);
  await standing.assure('get', since);
  expect(standing.isProven(since)).toBe(true);
  expect(standing.assure('get', since)).toBeUndefined();
  expect(asked).toEqual(['get']);
  // A question sent before says nothing about what happened since.
  expect(standing.isProven(Infinity)).toBe(false);
});

test('is asked once for all who come meanwhile, and again for who needs a later question', async () => {
  gate = new Gate();
  const since = performance.now();
  const both = [standing.assure('first', since), standing.assure('second', since)];
  await gate.arrived();
  while (performance.now() <= since + 1) await new Promise(setImmediate);
  const later = standing.assure('later', performance.now());
  gate.open();
  await Promise.all([...both, later]);
  expect(asked).toEqual(['first', 'later']);
});

test('over another connection is asked anew, also when that was made while it was proven', async () => {
  const since = performance.now();
  await standing.assure('a', since);
  connection = 1;
  expect(standing.isProven(since)).toBe(false);
  gate = new Gate();
  const proving = standing.assure('b', since);
  await gate.arrived();
  connection = 2;
  gate.open();
  await proving;
  expect(standing.isProven(since)).toBe(false);
  await standing.assure('c', since);
  expect(standing.isProven(since)).toBe(true);
  expect(asked).toEqual(['a', 'b', 'c']);
});

test('a head that is the newest state counts for a second, over its connection', () => {
  const at = performance.now() + 60_000;
  standing.note(at);
  expect([standing.isProven(at - 1000), standing.isProven(at - 999)]).toEqual([true, false]);
  expect(standing.assure('get')).toBeUndefined();
  connection = 1;
  expect(standing.isProven(at - 1000)).toBe(false);
});

test('what was proven more than a second ago is asked for again', async () => {
  standing.note(performance.now() - 60_000);
  await standing.assure('get');
  expect(asked).toEqual(['get']);
});

test('in doubt nothing counts as proven, until it is again', async () => {
  const since = performance.now();
  await standing.assure('a', since);
  standing.doubt();
  expect([standing.isProven(since), standing.holdsBack, doubts]).toEqual([false, true, 1]);
  await standing.assure('b', since);
  expect([standing.isProven(since), standing.holdsBack, doubts]).toEqual([true, false, 1]);
});

describe('a refusal', () => {
  test.each<[Code, boolean]>([
    ['SERVER_BEHIND_TRUST', true],
    ['FORK_DETECTED', true],
    ['VERIFICATION_FAILED', false],
  ])('%s is told to each in its own words; holds all back: %s', async (code, holdsBack) => {
    const failure = refusal(code);
    outcome = () => Promise.reject(failure);
    const since = performance.now();
    const told = ['first', 'second'].map((operation) => rejection(standing.assure(operation, since)!));
    expect(await told[0]).toBe(failure);
    expect(await told[1]).toMatchObject({ code, message: expect.stringContaining('again for second') });
    expect([asked, standing.holdsBack, doubts]).toEqual([['first'], holdsBack, holdsBack ? 1 : 0]);
    // The next one asks again, and is told what is so then.
    outcome = () => Promise.resolve();
    await standing.assure('third', since);
    expect([asked, standing.holdsBack]).toEqual([['first', 'third'], false]);
  });

  test('a server that cannot be reached is no refusal: all are told the same, none is held back', async () => {
    const failure = new TransportError('UNAVAILABLE', 'gone');
    outcome = () => Promise.reject(failure);
    const told = ['first', 'second'].map((operation) => rejection(standing.assure(operation)!));
    for (const each of await Promise.all(told)) expect(each).toBe(failure);
    expect([standing.holdsBack, doubts]).toEqual([false, 0]);
  });
});
