// One connection after another to the same server, or to the next of several: made when it is needed, asked for a sign of life when
// it is in doubt, given up for a new one when none comes.
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

/** One of the addresses that connections go to. */
export interface Target {
  /** As identities are bound to it. */
  readonly address: string;
  /** With the proxy on the way to it: as errors name it. */
  readonly shown: string;
  readonly makeClient: () => Client;
}

export interface WiresOptions {
  /** The first is taken; when it does not answer the next, and after the last the first again. */
  readonly targets: readonly [Target, ...Target[]];
  readonly connectTimeoutMs: number;
  /** Told whenever the connection stands, or does no more. */
  readonly watch?: Watch | undefined;
  /** Calls go to another address from now on. */
  readonly onMoved: () => void;
}

interface Connecting {
  readonly since: number;
  readonly done: Promise<void>;
}

export class Wires {
  readonly #options: WiresOptions;
  #at = 0;
  #now: Wire;
  #losses = 0;
  #connecting: Connecting | undefined;
  #probing: Promise<void> | undefined;
  #stopped = false;
  #closed = false;

  constructor(options: WiresOptions) {
    this.#options = options;
    this.#now = this.#newWire();
  }

  #newWire(): Wire {
    const { makeClient, address } = this.target;
    const wire = new Wire(makeClient(), address, () => {
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

  /** Where calls are sent now. */
  get target(): Target {
    return this.#options.targets[this.#at] as Target;
  }

  /**
   * On to the next address, where there is one, unless that has happened since `losses` was read. False when there is none.
   */
  moveOn(losses: number): boolean {
    const { targets, onMoved } = this.#options;
    if (targets.length === 1 || this.#stopped) return false;
    if (losses !== this.#losses) return true;
    const wire = this.#now;
    const what = `${this.target.shown} was left for another address`;
    this.#at = (this.#at + 1) % targets.length;
    this.#lost();
    this.#now = this.#newWire();
    wire.abandon(() => new TransportError('UNAVAILABLE', what));
    onMoved();
    return true;
  }

  /** What calls are sent over now, whether it stands or not. */
  get now(): Wire {
    return this.#now;
  }

  /** How many connections were lost or given up. */
  get losses(): number {
    return this.#losses;
  }

  /** Over another connection from now on, to the next address where there are several. */
  #replace(wire: Wire): void {
    if (wire !== this.#now || this.#closed) return;
    if (this.moveOn(this.#losses)) return;
    this.#lost();
    this.#now = this.#newWire();
    const what = `nothing is heard any more over the connection to ${this.target.shown}`;
    wire.abandon(() => new TransportError('UNAVAILABLE', what));
  }

  /** Waits for a sign of life; a connection over which none comes is given up. Rejects when the caller's time ends first. */
  async probe(method: string, deadline: Deadline): Promise<void> {
    this.#probing ??= this.#probe(this.#now).finally(() => (this.#probing = undefined));
    await deadline.race(this.#probing, `a sign of life from ${this.target.shown} (${method})`);
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
    const { since, done } = (this.#connecting ??= this.#beginConnecting());
    const wire = this.#now;
    try {
      await deadline.race(done, `a connection to ${this.target.shown} (${method})`);
    } catch (error) {
      // Waited for in vain: the next call is not to wait for the same.
      if (performance.now() - since >= PROBE_MS && !wire.ready) this.#replace(wire);
      throw error;
    }
  }

  #beginConnecting(): Connecting {
    this.#tell(this.#losses > 0 ? 'reconnecting' : 'connecting');
    const done = this.#connectSome()
      .then(
        () => this.#tell(this.#now.ready ? 'connected' : 'failed'),
        (error: unknown) => {
          this.#tell('failed');
          throw error;
        },
      )
      .finally(() => (this.#connecting = undefined));
    done.catch(() => undefined);
    return { since: performance.now(), done };
  }

  /** Resolves when there is a connection, or when every address was tried and the call itself is to say why there is none. */
  async #connectSome(): Promise<void> {
    const { targets, connectTimeoutMs } = this.#options;
    for (let tries = targets.length; ; tries--) {
      const wire = this.#now;
      const what = `no connection to ${this.target.shown} within ${connectTimeoutMs} ms; nothing was sent`;
      try {
        await wire.settled(connectTimeoutMs, () => new TransportError('UNAVAILABLE', what));
      } catch (error) {
        // One that was accepted and then left in silence would be waited for for ever.
        this.#replace(wire);
        if (tries === 1) throw error;
        continue;
      }
      if (this.#now.ready || tries === 1 || this.#stopped) return;
      // Whoever waited in vain may have moved on already.
      if (wire === this.#now) this.moveOn(this.#losses);
    }
  }

  /** Nobody waits for a connection any more. */
  stop(): void {
    this.#stopped = true;
    this.#now.stop();
  }

  /** Calls under way end by themselves. Idempotent. */
  close(): void {
    if (!this.#closed) this.#tell('closed');
    this.#stopped = true;
    this.#closed = true;
    this.#now.close();
  }
}
