// Exports with bytes changed, cut off or added on their way: none is taken for the transaction, proven or not.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImmuClient, ImmuError } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { openClient } from '../trust/support.js';
import { Proxy } from './proxy.js';

const { responseDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', 'exportTx');

describeReal('exports before a lying proxy', () => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  const outcome = (exported: Promise<unknown>) =>
    exported.then(
      (found) => (found === null ? 'null' : 'told'),
      (error: unknown) => (error as ImmuError).code,
    );
  const changed = (change: (content: Buffer) => Buffer) => (message: Buffer) => {
    const { content } = responseDeserialize(message) as { content: Buffer };
    return responseSerialize({ content: change(Buffer.from(content)) });
  };

  test('every byte of a transaction of two entries, one at a time', async () => {
    const { client } = await openClient({ address: proxy.address, database: await freshDatabase() });
    await client.verifiedSetAll({ key: 'value', other: '' });
    await expect(client.verifiedExportTx(1n)).resolves.toMatchObject({ tx: 1n });
    const length = (await wholeLength(client)) + 8;
    for (let at = 0; at < length; at++) {
      proxy.streamed = changed((content) => {
        content[at] = (content[at] as number) ^ (1 << (at % 8));
        return content;
      });
      // A length that is not the one of what came is no lie yet, but nothing that could be taken for an answer either.
      expect([at, await outcome(client.verifiedExportTx(1n))]).toEqual([
        at,
        at < 8 ? 'UNAVAILABLE' : 'VERIFICATION_FAILED',
      ]);
    }
  });

  test('cut off, prolonged, empty, another transaction', async () => {
    const { client } = await openClient({ address: proxy.address, database: await freshDatabase() });
    await client.verifiedSet('a', '1');
    await client.verifiedSet('b', '2');
    const length = (await wholeLength(client)) + 8;
    for (const keep of [0, 5, 8, 50, length - 1]) {
      proxy.streamed = changed((content) => content.subarray(0, keep));
      expect([keep, await outcome(client.exportTx(1n))]).toEqual([keep, 'UNAVAILABLE']);
      expect([keep, await outcome(client.verifiedExportTx(1n))]).toEqual([keep, 'UNAVAILABLE']);
    }
    proxy.streamed = changed((content) => Buffer.concat([content, Buffer.from([0])]));
    expect(await outcome(client.exportTx(1n))).toBe('UNAVAILABLE');
    expect(await outcome(client.verifiedExportTx(1n))).toBe('UNAVAILABLE');
    let first: Buffer | undefined;
    proxy.streamed = (message) => (first ??= message);
    await client.exportTx(1n);
    expect(await outcome(client.exportTx(2n))).toBe('UNAVAILABLE');
    expect(await outcome(client.verifiedExportTx(2n))).toBe('VERIFICATION_FAILED');
    proxy.streamed = (message) => message;
    expect(await outcome(client.verifiedExportTx(2n))).toBe('told');
  });
});

async function wholeLength(client: ImmuClient): Promise<number> {
  return (await client.exportTx(1n))?.bytes.length ?? 0;
}
