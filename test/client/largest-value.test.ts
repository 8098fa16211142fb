// The largest value that is allowed is the largest that gets there: written and read back, verified, under the longest key.
import { expect, onTestFinished, test, vi } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import { MAX_SENT_VALUE_BYTES } from '#dist/client/input/bytes-input.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';

vi.setConfig({ testTimeout: 120_000 });

describeServer('the largest value', () => {
  test('is taken, alone and beside others; one byte more is refused here', async () => {
    const client = new ImmuClient({
      ...{ address: sharedImmudb(), store: new MemoryRootStore(), timeoutMs: 60_000 },
      credentials: { user: 'immudb', password: 'immudb', database: await freshDatabase() },
    });
    onTestFinished(() => client.close());
    const key = 'k'.repeat(1023);
    const largest = new Uint8Array(MAX_SENT_VALUE_BYTES).fill(7);
    await client.verifiedSet(key, largest);
    expect((await client.verifiedGet(key))?.value.length).toBe(MAX_SENT_VALUE_BYTES);
    await client.set(key, largest);
    await client.verifiedSet(key, largest, { preconditions: [{ mustExist: key }] });
    for await (const { proven } of client.ingest([[key, largest] as const, ['other', 'small'] as const]))
      expect(proven).toBe(true);
    const more = new Uint8Array(MAX_SENT_VALUE_BYTES + 1);
    for (const refused of [client.set(key, more), client.verifiedSet(key, more)])
      await expect(refused).rejects.toThrow(ArgumentError);
  });
});
