// The test server itself: starts, answers, restarts with its data, and dies with its parent.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { TestImmudb } from './support/immudb.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from './support/real.js';
import { serverBinary } from './support/server-binary.js';
import { WireClient } from './support/wire-client.js';

describeReal('the shared server', () => {
  test('answers with its version, and takes a database per file', async () => {
    const client = await WireClient.open(sharedImmudb(), await freshDatabase());
    const state = await client.call('CurrentState');
    expect(state.txId ?? '0').toBe('0');
    client.close();
  });
});

describePrivate('a private server', () => {
  test('keeps its data, address and identity over a restart', async () => {
    await using server = await TestImmudb.start({ signing: true });
    const before = await WireClient.open(server.address);
    await before.call('Set', { KVs: [{ key: Buffer.from('k'), value: Buffer.from('v') }] });
    before.close();
    await server.restart();
    const after = await WireClient.open(server.address);
    const entry = await after.call('Get', { key: Buffer.from('k') });
    expect(entry.value.toString()).toBe('v');
    const state = await after.call('CurrentState');
    expect(state.signature.signature.length).toBeGreaterThan(60);
    after.close();
  });

  test('dies when its parent does', async ({ skip }) => {
    const binary = await serverBinary();
    if (binary.kind !== 'testserver') return skip('a plain immudb does not watch its parent');
    const dir = await mkdtemp(join(tmpdir(), 'immu-ts-orphan-'));
    const script = `
      const server = require('node:child_process').spawn(${JSON.stringify(binary.path)}, ['-dir=${dir}/data'], { stdio: ['pipe', 'pipe', 'inherit'] });
      server.stdout.once('data', () => { console.log(server.pid); });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(Number(line)), { timeout: 10_000 }).toBe(false);
    await rm(dir, { recursive: true, force: true });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
