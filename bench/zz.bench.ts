import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { Session } from 'node:inspector/promises';
import { writeFileSync } from 'node:fs';
import { benchServer } from './support/server.js';
import { writeSingle, singleKey, VALUE } from './support/data.js';
import { callsPerSecond, randomNumbers } from './support/load.js';
await using server = await benchServer();
const { wire, database, address } = server;
await writeSingle(wire);
const threads = Number(process.env.THREADS ?? 1);
await using client = new ImmuClient({ address, store: new MemoryRootStore(), credentials: { user: 'immudb', password: 'immudb', database }, verifier: {threads} });
const below = randomNumbers(3);
await client.warm();
await callsPerSecond(256, 50000, () => client.verifiedGet(singleKey(below(10000))));
let n = 0;
async function prof(name: string, f: () => Promise<unknown>, calls: number) {
  const s = new Session(); s.connect(); await s.post('Profiler.enable'); await s.post('Profiler.start');
  const c = process.cpuUsage(); const t = performance.now();
  const tc = (performance as any).eventLoopUtilization();
  await f();
  const u = process.cpuUsage(c); const elu = performance.eventLoopUtilization(tc);
  console.log(name, 'wall µs', ((performance.now()-t)*1000/calls).toFixed(1), 'cpu µs/call all threads', ((u.user+u.system)/calls).toFixed(1), 'elu', elu.utilization.toFixed(2), 'main busy µs', (elu.active*1000/calls).toFixed(1));
  const { profile } = await s.post('Profiler.stop'); writeFileSync(`/tmp/trial/prof/${name}.cpuprofile`, JSON.stringify(profile));
}
await prof('vget', () => callsPerSecond(256, 100000, () => client.verifiedGet(singleKey(below(10000)))), 100000);
const write = async () => { const r = n++; const p: Promise<unknown>[] = []; for (let i = 0; i < 20000; i++) { await client.ready(); p.push(client.verifiedSet(`m/${r}/${i}`, VALUE)); } await Promise.all(p); };
await write(); await write();
await prof('vset', async () => { await write(); await write(); }, 40000);
console.log(JSON.stringify(client.diagnostics, (k, v) => typeof v === 'bigint' ? String(v) : v));
