// Subscriptions to the channels of clients. What goes wrong in one of them ends no process: it is told to OpenTelemetry's own log.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { diag } from '@opentelemetry/api';
import type { WatchEvents, WatchName } from '../index.js';

export class Subscriptions {
  readonly #ends: (() => void)[] = [];

  on<N extends WatchName>(name: N, take: (event: WatchEvents[N]) => void): void {
    const listener = (event: unknown) => {
      try {
        take(event as WatchEvents[N]);
      } catch (error) {
        diag.error(`immu-ts/opentelemetry: ${name} could not be told`, error);
      }
    };
    subscribe(name, listener);
    this.#ends.push(() => unsubscribe(name, listener));
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
