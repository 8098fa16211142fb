// What tests of `immu-ts ingest` have: a ledger, a folder for their files, and a client that reads what was written.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { run, temporaryFolder } from './run.js';

export async function open() {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const folder = await temporaryFolder();
  const env = { IMMU_TS_STORE: join(folder, 'roots.db'), IMMU_TS_ADDRESS: ledger.address };
  const client = new ImmuClient({
    address: ledger.address,
    credentials: { user: 'immudb', password: 'immudb' },
    store: new MemoryRootStore(),
  });
  onTestFinished(() => client.close());
  const text = async (key: string) => {
    const entry = await client.verifiedGet(key);
    return entry && Buffer.from(entry.value).toString();
  };
  let ran = 0;
  const cli = (args: readonly string[]) => run(['ingest', ...args], { cwd: folder, env, again: ran++ > 0 });
  const file = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(folder, name), content);
    return name;
  };
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { ledger, folder, env, text, cli, file, read };
}
