// The live tail: rows as they are logged, sent to the browser as server-sent events.
import type { ServerResponse } from 'node:http';
import type { AuditLog, RootsFilter } from '../../index.js';
import { follow } from '../follow.js';
import { Output } from '../output.js';
import { grouped } from './views/overview.js';
import { rowLine } from './views/rows.js';
import { failureCount } from './timeline.js';

/** Browsers and proxies give up on a line that is silent for long. */
const HEARTBEAT_MS = 15_000;

/** Ends when the browser goes away or `signal` is aborted. */
export async function sendLive(
  audit: AuditLog,
  query: RootsFilter,
  after: bigint,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  const out = new Output(response);
  await out.write('retry: 2000\n\n');
  let sentAt = Date.now();
  let isNew = false;
  const idle = async () => {
    // After the rows that it counts.
    if (isNew) {
      isNew = false;
      await out.write(`event: figures\ndata: ${JSON.stringify(await figuresOf(audit, query))}\n\n`);
      sentAt = Date.now();
    }
    if (Date.now() - sentAt < HEARTBEAT_MS) return;
    sentAt = Date.now();
    await out.write(': still here\n\n');
  };
  for await (const row of follow(audit, query, after, {
    signal: AbortSignal.any([signal, gone.signal]),
    idle,
  })) {
    const data = rowLine(row)
      .text.split('\n')
      .map((line) => `data: ${line}\n`);
    await out.write(`id: ${row.seq.toString()}\nevent: row\n${data.join('')}\n`);
    sentAt = Date.now();
    isNew = true;
  }
  response.end();
}

/** As the figures of the page show them. */
async function figuresOf(audit: AuditLog, query: RootsFilter) {
  const [total] = await audit.stats({ ...query, bucket: 'all' });
  const failures = total ? failureCount(total.failures) : 0;
  const [rows, calls, roots] = [total?.rows ?? 0, total?.calls ?? 0, total?.roots ?? 0];
  return {
    ...{ rows: grouped(rows), calls: grouped(calls), roots: grouped(roots), failures: grouped(failures) },
    isBad: failures > 0,
  };
}
