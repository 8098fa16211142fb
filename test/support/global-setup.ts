// One real immudb for the whole run, if one can be had.
import type { TestProject } from 'vitest/node';
import { TestImmudb } from './immudb.js';
import { serverBinary } from './server-binary.js';
import './real.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['IMMUDB_ADDRESS'];
  const binary = await serverBinary();
  const startable = binary.kind !== 'none';
  if (given) {
    project.provide('immudb', { address: given, startable });
    return () => Promise.resolve();
  }
  if (binary.kind === 'none') {
    project.provide('immudb', { missing: binary.reason });
    return () => Promise.resolve();
  }
  const server = await TestImmudb.start();
  project.provide('immudb', { address: server.address, startable });
  return () => server.close();
}
