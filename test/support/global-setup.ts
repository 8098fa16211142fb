// One real immudb for the whole run, if one can be had: a running one first, else one of our own.
import type { TestProject } from 'vitest/node';
import { startImmudb } from './immudb.js';
import { hasGo, serverBinary } from './server-binary.js';
import { waitHealthy } from './wait-ready.js';

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const binary = await serverBinary();
  const startable = binary.kind !== 'none';
  const certificates = startable && (await hasGo());
  const able = { startable, certificates, ...limits(startable, certificates) };
  const running = process.env['IMMUDB_ADDRESS'];
  if (running) {
    await waitHealthy(running, 10_000).catch((error: unknown) => {
      throw new Error(`IMMUDB_ADDRESS is ${running}, but no immudb answers there`, { cause: error });
    });
    project.provide('immudb', { address: running, ...able });
    return;
  }
  if (binary.kind === 'none') {
    project.provide('immudb', { missing: binary.reason });
    return;
  }
  const server = await startImmudb();
  project.provide('immudb', { address: server.address, ...able });
  return () => server.close();
}

function limits(startable: boolean, certificates: boolean): { limits?: string } {
  if (!startable) return { limits: 'servers of their own need an immudb on PATH or a Go toolchain' };
  return certificates ? {} : { limits: 'test certificates need a Go toolchain' };
}
