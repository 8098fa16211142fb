// Exports of `immu-ts/opentelemetry`: spans and metrics of all clients of the process. Needs the package `@opentelemetry/api`, which
// is not installed along.
import { metrics, trace } from '@opentelemetry/api';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { ArgumentError } from './errors.js';
import { knownNames } from './known-names.js';
import { measure } from './opentelemetry/metrics.js';
import { traceCalls } from './opentelemetry/spans.js';
import { Subscriptions } from './opentelemetry/subscriptions.js';
import { VERSION } from './version.js';

export interface InstrumentOptions {
  /** @default the one that is registered with OpenTelemetry */
  readonly tracerProvider?: TracerProvider;
  /** @default the one that is registered with OpenTelemetry */
  readonly meterProvider?: MeterProvider;
  /** A span per call. @default true */
  readonly spans?: boolean;
  /** @default true */
  readonly metrics?: boolean;
}

export interface Instrumentation extends Disposable {
  /** From now on nothing is told any more. Idempotent. */
  stop(): void;
}

const NAMES = ['tracerProvider', 'meterProvider', 'spans', 'metrics'];
const SCOPE = 'immu-ts';

/**
 * Tells OpenTelemetry of all clients of this process, those that are made later too: a span per call, and figures of calls,
 * requests, checks, heads, refusals and forks. Keys are in none of it, unless a client was told `observe: { keys: true }`. Call it
 * once, when the SDK has been started.
 *
 * @throws ArgumentError for options that there are none of
 *
 * @example
 * const telemetry = instrument();
 * // … when the process ends
 * telemetry.stop();
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null)
    throw new ArgumentError('options', 'options must be an object');
  knownNames('options', options, NAMES);
  const subscriptions = new Subscriptions();
  if (options.spans !== false)
    traceCalls((options.tracerProvider ?? trace).getTracer(SCOPE, VERSION), subscriptions);
  const endGauges =
    options.metrics === false
      ? undefined
      : measure((options.meterProvider ?? metrics).getMeter(SCOPE, VERSION), subscriptions);
  const stop = () => {
    subscriptions.end();
    endGauges?.();
  };
  return { stop, [Symbol.dispose]: stop };
}
