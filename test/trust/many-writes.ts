// Writes of many kinds, of keys that are written again and again: what followers are held against.
import type { WireClient } from '../support/wire-client.js';

export const KEYS = 2000;

export const keyName = (i: number) => `k${i % 7}/${i}`;

const bytes = (text: string) => Buffer.from(text);

/** Every key has a first version. */
export async function seed(wire: WireClient): Promise<void> {
  for (let i = 0; i < KEYS; i += 100)
    await wire.call('Set', {
      KVs: Array.from({ length: 100 }, (_, j) => ({ key: bytes(keyName(i + j)), value: bytes('first') })),
    });
}

/** `txs` transactions of every kind there is, one after the other; the kinds of those that were done go into `done`. */
export async function writeManyKinds(
  wire: WireClient,
  below: (n: number) => number,
  txs: number,
  done: string[],
): Promise<void> {
  const key = () => keyName(below(KEYS));
  const value = () => bytes(`v${below(1_000_000)}`);
  const several = (count: number) => [...new Set(Array.from({ length: count }, key))];
  const kvs = (names: readonly string[], metadata?: object) => ({
    KVs: names.map((name) => ({ key: bytes(name), value: value(), ...(metadata && { metadata }) })),
  });
  const soon = Math.floor(Date.now() / 1000) + 1 + below(3);
  const kinds: [number, () => Promise<unknown>][] = [
    [30, () => wire.call('Set', kvs(several(1 + below(12))))],
    [12, () => wire.call('Delete', { keys: several(1 + below(2)).map(bytes) })],
    [6, () => wire.call('Set', kvs([key()], { deleted: true }))],
    [6, () => wire.call('Set', kvs([key()], { expiration: { expiresAt: String(soon) } }))],
    [3, () => wire.call('Set', kvs([key()], { expiration: { expiresAt: String(soon + 1e6) } }))],
    [8, () => wire.call('Set', kvs(several(2), { nonIndexable: true }))],
    [10, () => wire.call('SetReference', { key: bytes(key()), referencedKey: bytes(key()) })],
    [
      4,
      () =>
        wire.call('SetReference', {
          key: bytes(key()),
          referencedKey: bytes(key()),
          boundRef: true,
          atTx: String(1 + below(50)),
        }),
    ],
    [10, () => wire.call('ZAdd', { set: bytes('set'), score: below(9) - 4, key: bytes(key()) })],
    [
      10,
      () => {
        const [a, b] = several(2) as [string, string?];
        const kv = { kv: { key: bytes(a), value: value() } };
        const refs = b === undefined ? [] : [{ ref: { key: bytes(b), referencedKey: bytes(key()) } }];
        return wire.call('ExecAll', {
          Operations: [kv, ...refs, { zAdd: { set: bytes('other'), score: 1, key: bytes(a) } }],
        });
      },
    ],
  ];
  const total = kinds.reduce((sum, [share]) => sum + share, 0);
  for (let i = 0; i < txs; i++) {
    let at = below(total);
    const kind = kinds.findIndex(([share]) => (at -= share) < 0);
    const isDone = await kinds[kind]![1]().then(
      () => true,
      () => false,
    );
    if (isDone) done.push(String(kind));
  }
}
