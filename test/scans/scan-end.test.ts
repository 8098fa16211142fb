// Whether a scan is at its end, by what a server shows from the other one.
import { expect, test } from 'vitest';
import { assertGoesOn, endingOf } from '#dist/client/calls/scans/scan-end.js';
import { wireMethod } from '#dist/wire/schema.js';

const NONE = new Uint8Array(0);
const RANGE = {
  ...{ prefix: NONE, seekKey: NONE, endKey: NONE },
  ...{ inclusiveSeek: false, inclusiveEnd: false, desc: false },
};
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

/** A server whose first entry from the other end is this one, once so many are asked for. */
function server(key: string | undefined, from = 1, count = 5000n) {
  const asked: Record<string, unknown>[] = [];
  const entries = [{ tx: '1', key: utf8(key ?? 'k'), value: utf8('v') }];
  const answer = (shown: boolean) => {
    const { responseSerialize } = wireMethod('Scan') as unknown as {
      responseSerialize: (message: object) => Buffer;
    };
    return Promise.resolve(new Uint8Array(responseSerialize(shown ? { entries } : {})));
  };
  const ask = {
    scan(request: { readonly limit?: string }) {
      asked.push(request);
      return answer(key !== undefined && Number(request.limit) >= from);
    },
    count: () => Promise.resolve(count),
  };
  return { asked, ask };
}

test.each([
  ['c', { seekKey: utf8('b') }, 'more'],
  ['b', { seekKey: utf8('b') }, 'end'],
  ['b', { seekKey: utf8('b'), inclusiveSeek: true }, 'more'],
  ['a', { seekKey: utf8('b'), desc: true }, 'more'],
  ['c', { seekKey: utf8('b'), desc: true }, 'end'],
  ['pa', { prefix: utf8('p') }, 'more'],
  ['o', { prefix: utf8('p') }, 'end'],
  ['o', { prefix: utf8('p'), seekKey: utf8('a') }, 'end'],
] as const)('%s from the other end of %j: %s', async (key, range, ending) => {
  expect(await endingOf({ ...RANGE, ...range }, server(key).ask)).toBe(ending);
});

test('it is looked for from the bound that comes first, past whatever is not shown', async () => {
  const { asked, ask } = server('pb', 2500);
  expect(await endingOf({ ...RANGE, prefix: utf8('p'), endKey: utf8('z') }, ask)).toBe('more');
  expect(asked.map(({ limit }) => limit)).toEqual(['1', '32', '2500']);
  expect(asked[0]).toMatchObject({ seekKey: utf8('q'), inclusiveSeek: false, desc: true });
  const within = server('pb');
  await endingOf({ ...RANGE, prefix: utf8('p'), endKey: utf8('pc'), inclusiveEnd: true }, within.ask);
  expect(within.asked[0]).toMatchObject({ seekKey: utf8('pc'), inclusiveSeek: true });
  const whole = server('x');
  await endingOf({ ...RANGE, prefix: new Uint8Array([0xff, 0xff]) }, whole.ask);
  expect(whole.asked[0]).toMatchObject({ seekKey: NONE, desc: true });
});

test('nothing is shown from there either: few keys are the end, more are not known', async () => {
  expect(await endingOf(RANGE, server(undefined, 1, 2499n).ask)).toBe('end');
  expect(await endingOf(RANGE, server(undefined, 1, 2500n).ask)).toBe('unknown');
});

test('a server that says for ever that there is more is not asked for ever', () => {
  expect(() => assertGoesOn('more', 400)).not.toThrow();
  expect(() => assertGoesOn('more', 401)).toThrow(/again and again/);
  expect(() => assertGoesOn('unknown', 1)).toThrow(/lead nowhere/);
});
