// A span per call: begun where the caller is, so that it is a child of what the caller does.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import type { CallEvent, CallStartEvent } from '../index.js';
import { ofCall } from './attributes.js';
import type { Subscriptions } from './subscriptions.js';

export function traceCalls(tracer: Tracer, subscriptions: Subscriptions): void {
  /** A call is one object from its beginning to its end. */
  const spans = new WeakMap<CallStartEvent, Span>();
  subscriptions.on('immu-ts:call:start', (call) => {
    const span = tracer.startSpan(nameOf(call), { kind: SpanKind.CLIENT, attributes: ofCall(call) });
    // One that is not recorded, as most are where they are sampled, needs no more.
    if (span.isRecording()) spans.set(call, span);
    else span.end();
  });
  subscriptions.on('immu-ts:call', (call) => {
    const span = spans.get(call);
    if (span) end(span, call);
  });
}

function nameOf({ operation, database }: CallStartEvent): string {
  return database === undefined ? operation : `${operation} ${database}`;
}

function end(span: Span, call: CallEvent): void {
  const { code, rpcs, sends, tx, entries, waitedMs, key, message } = call;
  if (rpcs[0] === call.operation) span.updateName(nameOf(call)).setAttribute('db.operation.name', rpcs[0]);
  span.setAttributes({
    'immudb.code': code,
    'immudb.sends': sends,
    'immudb.waited_ms': waitedMs,
    ...(rpcs.length > 0 && { 'rpc.method': rpcs.length === 1 ? rpcs[0] : [...rpcs] }),
    ...(tx !== undefined && { 'immudb.tx': tx.toString() }),
    ...(entries !== undefined && { 'immudb.entries': entries }),
    ...(key !== undefined && { 'immudb.key': key }),
    ...(code !== 'OK' && { 'error.type': code }),
  });
  if (code !== 'OK') span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? code });
  span.end();
}
