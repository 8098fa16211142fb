// One real immudb for the whole run, if one can be had: a running one first, else one of our own.
import type { TestProject } from 'vitest/node';
import { startImmudb } from './immudb.js';
import { startLedger } from './ledger-process.js';
import type { RealImmudb } from './real.js';
import { hasGo, serverBinary } from './server-binary.js';
import { waitHealthy } from './wait-ready.js';

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const found = await find();
  project.provide('immudb', found.immudb);
  const isOnLedger = process.env['TEST_ON_LEDGER'] === 'true' || 'missing' in found.immudb;
  const ledger = isOnLedger ? await startLedger() : undefined;
  project.provide('ledger', ledger?.address);
  return async () => {
    await ledger?.close();
    await found.close?.();
  };
}

async function find(): Promise<{ readonly immudb: RealImmudb; readonly close?: () => Promise<void> }> {
  const binary = await serverBinary();
  const startable = binary.kind !== 'none';
  const certificates = startable && (await hasGo());
  const able = { startable, certificates, ...limits(startable, certificates) };
  const running = process.env['IMMUDB_ADDRESS'];
  if (running) {
    await waitHealthy(running, 10_000).catch((error: unknown) => {
      throw new Error(`IMMUDB_ADDRESS is ${running}, but no immudb answers there`, { cause: error });
    });
    return { immudb: { address: running, ...able } };
  }
  if (binary.kind === 'none') return { immudb: { missing: binary.reason } };
  const server = await startImmudb();
  return { immudb: { address: server.address, ...able }, close: () => server.close() };
}

function limits(startable: boolean, certificates: boolean): { limits?: string } {
  if (!startable) return { limits: 'servers of their own need an immudb on PATH or a Go toolchain' };
  return certificates ? {} : { limits: 'test certificates need a Go toolchain' };
}
