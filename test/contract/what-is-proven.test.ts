// docs/what-is-proven.md is about the calls that are there: each verified one has its row, and no row names another.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';

const page = readFileSync('docs/what-is-proven.md', 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| '));
const named = rows.flatMap((row) =>
  [...(row.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g)].map(([, name]) => name as string),
);

/** Names of the methods of an object, those it inherits too. */
function methodsOf(object: object): string[] {
  const names: string[] = [];
  for (let of: object = object; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
      if (typeof value === 'function' && name !== 'constructor') names.push(name);
  return names;
}

// Nothing is asked of it.
const asked = new ImmuClient({ store: new MemoryRootStore() });
/** Those that are there. */
const FAMILIES = ['sql', 'documents', 'databases', 'users', 'server'].flatMap((name) => {
  const family: unknown = Reflect.get(asked, name);
  return typeof family === 'object' && family !== null ? [[name, family] as const] : [];
});
const methods = new Set([
  ...methodsOf(asked),
  ...FAMILIES.flatMap(([name, family]) => methodsOf(family).map((method) => `${name}.${method}`)),
]);

test('every verified call has one row', () => {
  const verified = [...methods].filter((name) => /(^|\.)verified[A-Z]/.test(name));
  expect(verified.length).toBeGreaterThan(15);
  for (const name of verified) expect([name, named.filter((each) => each === name)]).toEqual([name, [name]]);
});

test('every row is about calls that are there, and says what is proven and what is not', () => {
  expect(named.filter((name) => !methods.has(name))).toEqual([]);
  for (const row of rows) {
    const cells = row.split('|').slice(1, -1);
    expect(cells, row).toHaveLength(3);
    for (const cell of cells) expect(cell.trim(), row).not.toBe('');
  }
});

test('proof documents: the calls that are said to give them take the option, and others refuse it', async () => {
  const client = new ImmuClient({ store: new MemoryRootStore(), address: '127.0.0.1:1' });
  const wrong = { includeProof: 'yes' as never };
  const given: Record<string, Promise<unknown>> = {
    verifiedGet: client.verifiedGet('k', wrong),
    verifiedTx: client.verifiedTx(1n, wrong),
    verifiedSet: client.verifiedSet('k', 'v', wrong),
    verifiedSetAll: client.verifiedSetAll({ k: 'v' }, wrong),
    verifiedDelete: client.verifiedDelete('k', wrong),
    verifiedSetReference: client.verifiedSetReference('k', 'l', wrong),
    verifiedZAdd: client.verifiedZAdd('s', 1, 'k', wrong),
    verifiedExecAll: client.verifiedExecAll([{ set: { key: 'k', value: 'v' } }], wrong),
  };
  for (const [name, refused] of Object.entries(given)) {
    const error = await refused.catch((reason: unknown) => reason);
    expect([name, error]).toMatchObject([name, { code: 'INVALID_ARGUMENT', argument: 'includeProof' }]);
  }
  const without = client.verifiedStreamSet('k', 'v', wrong as never).catch((reason: unknown) => reason);
  expect(await without).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options' });
  await client.close();
});
