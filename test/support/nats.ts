// Tests that need a NATS with JetStream, and a server of their own: its streams are files.
import { describe } from 'vitest';
import { BROKER } from './broker-mark.js';
import { BrokerProcess, brokerProgram } from './broker-process.js';

const program = brokerProgram('NATS_SERVER', 'nats-server');

/** Skipped, and counted loudly, when there is none. */
export function describeNats(name: string, body: () => void): void {
  describe.skipIf(program === undefined)(`${BROKER} ${name}`, body);
}

export function startNats(): Promise<BrokerProcess> {
  const args = (port: number, folder: string) => [
    ...['--addr', '127.0.0.1', '--port', `${port}`],
    ...['--jetstream', '--store_dir', folder],
  ];
  return BrokerProcess.start(program, args);
}
