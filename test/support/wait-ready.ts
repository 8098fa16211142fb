// Waits until a server that was just started can be used.
import { once } from 'node:events';
import { connect } from 'node:net';
import { WireClient } from './wire-client.js';

const LOOK_AGAIN_AFTER_MS = 50;

/** Until the server answers Health. */
export async function waitHealthy(address: string, withinMs: number): Promise<void> {
  await retry(withinMs, async () => {
    const client = new WireClient(address);
    try {
      const health = await client.call('Health', {}, { timeoutMs: 2000 });
      if (!health.status) throw new Error(`immudb at ${address} says that it is not healthy`);
    } finally {
      client.close();
    }
  });
}

/** Until the port takes connections, for servers with TLS. */
export async function waitListening(address: string, withinMs: number): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  await retry(withinMs, async () => {
    const socket = connect(Number(port), hostname);
    try {
      await once(socket, 'connect');
    } finally {
      socket.destroy();
    }
  });
}

async function retry(withinMs: number, attempt: () => Promise<void>): Promise<void> {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_AFTER_MS));
  }
}
