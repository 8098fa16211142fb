// One connection after another to the same server: made when it is needed, asked for a sign of life when it is in doubt, given
// up for a new one when none comes.
import { Metadata } from '@grpc/grpc-js';
import type { Client } from '@grpc/grpc-js';
import { TransportError } from '../../errors.js';
import { wireMethod } from '../../wire/schema.js';
import { status } from '../../wire/status.js';
import type { Deadline } from '../flow/deadline.js';
import { plain } from '../input/pooled-bytes.js';
import { Wire } from './wire.js';
import type { ConnectionEvent } from '../watch/events.js';
import type { Watch } from '../watch/watch.js';

/** A server that is alive answers within this time, in milliseconds, whatever else it is at. */
const PROBE_MS = 1000;

export interface WiresOptions {
  /** The server's, and the proxy's on the way to it: as errors name it. */
  readonly address: string;
  readonly makeClient: () => Client;
  readonly connectTimeoutMs: number;
  /** Told whenever the connection stands, or does no more. */
  readonly watch?: Watch | undefined;
}

interface Connecting {
  readonly since: number;
  readonly done: Promise<void>;
}

export class Wires {
  readonly #options: WiresOptions;
  #now: Wire;
  #losses = 0;
  #connecting: Connecting | undefined;
  #probing: Promise<void> | undefined;
  #closed = false;

  constructor(options: WiresOptions) {
    this.#options = options;
    this.#now = this.#newWire();
  }

  #newWire(): Wire {
    const wire = new Wire(this.#options.makeClient(), () => {
      if (wire === this.#now) this.#lost();
    });
    return wire;
  }

  #lost(): void {
    this.#losses += 1;
    this.#tell('lost');
  }

  #tell(state: ConnectionEvent['state']): void {
    this.#options.watch?.tell('immu-ts:connection', () => ({ state, losses: this.#losses }));
  }

  /** What calls are sent over now, whether it stands or not. */
  get now(): Wire {
    return this.#now;
  }

  /** How many connections were lost or given up. */
  get losses(): number {
    return this.#losses;
  }

  /** Over another connection from now on. */
  #replace(wire: Wire): void {
    if (wire !== this.#now || this.#closed) return;
    this.#lost();
    this.#now = this.#newWire();
    const what = `nothing is heard any more over the connection to ${this.#options.address}`;
    wire.abandon(() => new TransportError('UNAVAILABLE', what));
  }

  /** Waits for a sign of life; a connection over which none comes is given up. Rejects when the caller's time ends first. */
  async probe(method: string, deadline: Deadline): Promise<void> {
    this.#probing ??= this.#probe(this.#now).finally(() => (this.#probing = undefined));
    await deadline.race(this.#probing, `a sign of life from ${this.#options.address} (${method})`);
  }

  /** Never rejects. */
  #probe(wire: Wire): Promise<void> {
    const { path, requestSerialize } = wireMethod('Health');
    return new Promise((resolve) => {
      const deadline = Date.now() + PROBE_MS;
      const done = (error: { code: status } | null) => {
        if (error?.code !== status.DEADLINE_EXCEEDED) wire.silence.heard();
        else this.#replace(wire);
        resolve();
      };
      wire.client.makeUnaryRequest(path, requestSerialize, plain, {}, new Metadata(), { deadline }, done);
    });
  }

  /** Waits until there is a connection or a reason why there is none: nothing was sent when this rejects. */
  async connect(method: string, deadline: Deadline): Promise<void> {
    const wire = this.#now;
    const { since, done } = (this.#connecting ??= this.#beginConnecting(wire));
    try {
      await deadline.race(done, `a connection to ${this.#options.address} (${method})`);
    } catch (error) {
      // Waited for in vain: the next call is not to wait for the same.
      if (performance.now() - since >= PROBE_MS && !wire.ready) this.#replace(wire);
      throw error;
    }
  }

  #beginConnecting(wire: Wire): Connecting {
    const { address, connectTimeoutMs } = this.#options;
    this.#tell(this.#losses > 0 ? 'reconnecting' : 'connecting');
    const what = `no connection to ${address} within ${connectTimeoutMs} ms; nothing was sent`;
    const done = wire
      .settled(connectTimeoutMs, () => new TransportError('UNAVAILABLE', what))
      .then(() => this.#tell(wire.ready ? 'connected' : 'failed'))
      .catch((error: unknown) => {
        // One that was accepted and then left in silence would be waited for for ever.
        this.#replace(wire);
        this.#tell('failed');
        throw error;
      })
      .finally(() => (this.#connecting = undefined));
    done.catch(() => undefined);
    return { since: performance.now(), done };
  }

  /** Nobody waits for a connection any more. */
  stop(): void {
    this.#now.stop();
  }

  /** Calls under way end by themselves. Idempotent. */
  close(): void {
    if (!this.#closed) this.#tell('closed');
    this.#closed = true;
    this.#now.close();
  }
}
