// Tests that need a Redis, and a server of their own: what it acknowledges is in its append-only file.
import { describe } from 'vitest';
import { BROKER } from './broker-mark.js';
import { BrokerProcess, brokerProgram } from './broker-process.js';

const program = brokerProgram('REDIS_SERVER', 'redis-server');

/** Skipped, and counted loudly, when there is none. */
export function describeRedis(name: string, body: () => void): void {
  describe.skipIf(program === undefined)(`${BROKER} ${name}`, body);
}

export function startRedis(): Promise<BrokerProcess> {
  const args = (port: number, folder: string) => [
    ...['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
  ];
  return BrokerProcess.start(program, args);
}
