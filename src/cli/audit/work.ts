// `immu-ts audit work`: one more worker of an audit in ranges.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { workRanges } from '../../audit.js';
import { UsageError, command } from '../command.js';
import { FAILED, HOLDS } from '../exit-code.js';
import { countOf } from '../query-options.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS } from '../server-options.js';
import { STORE_OPTION } from '../store-option.js';
import { visible } from '../../visible.js';
import { openQueue } from './queue-place.js';
import { SERVER_OPTIONS, teller, withClient } from './server-audit.js';

const { threads, 'in-flight': inFlight } = SERVER_OPTIONS;

export const workCommand = command({
  name: 'audit work',
  summary:
    'Works on the ranges of an audit that immu-ts audit database --shards has begun, until none is left.',
  options: {
    queue: {
      type: 'string',
      value: 'FILE|URL',
      says: 'the queue: --queue of the audit; default: $IMMU_TS_QUEUE',
    },
    key: { type: 'string', value: 'PEM', says: 'Ed25519 private key file that reports are signed with' },
    lease: {
      type: 'string',
      value: 'SECONDS',
      says: 'not heard of for so long, another takes its range',
      default: '30',
    },
    ...STORE_OPTION,
    ...CONNECT_OPTIONS,
    ...TRUST_OPTIONS,
    threads,
    'in-flight': inFlight,
    json: { type: 'boolean', says: 'JSON' },
  },
  more: `The root that is audited under must be on the trusted history of this store too: exit code 3 where it is not.
Exit code 1: a range could not be audited; others, or another time, may do better. What is found is in the report of the audit.`,
  async run(options, _operand, io) {
    const { key } = options;
    const place = options.queue ?? io.env['IMMU_TS_QUEUE'] ?? '';
    if (place === '' || key === undefined) throw new UsageError('audit work needs --queue and --key');
    const pem = await readFile(key, 'utf8');
    await using queue = await openQueue(place);
    const tell = teller(io);
    const { database } = await queue.task();
    const { ranges, overtaken, givenBack } = await withClient(options, io, (client) => {
      if (client.databaseName !== database)
        throw new UsageError(
          `the queue is of database ${JSON.stringify(database)}, not of ${JSON.stringify(client.databaseName)}`,
        );
      return workRanges(client.audit, queue, {
        ...{ key: pem, worker: `${hostname()}:${process.pid}`, signal: io.signal },
        ...{
          leaseMs: countOf('lease', options.lease) * 1000,
          inFlight: countOf('in-flight', options['in-flight']),
        },
        onProgress: ({ tx, lastTx }) => tell(() => `tx ${tx.toString()} of ${lastTx.toString()}`),
      });
    });
    for (const why of givenBack) await io.err.write(`not done: ${visible(why)}\n`);
    if (options.json) await io.out.write(`${JSON.stringify({ ranges, overtaken, givenBack })}\n`);
    const twice = overtaken === 0 ? '' : `; ${overtaken} that others had done meanwhile`;
    await io.err.write(`${ranges} ranges done${twice}\n`);
    return givenBack.length > 0 ? FAILED : HOLDS;
  },
});
