// A span per call: begun where the caller is, so that it is a child of what the caller does.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import type { CallEvent, CallStartEvent } from '../index.js';
import { ofCall, ofServer } from './attributes.js';
import type { Subscriptions } from './subscriptions.js';

export function traceCalls(tracer: Tracer, subscriptions: Subscriptions): void {
  /** A call is one object from its beginning to its end. */
  const spans = new WeakMap<CallStartEvent, Span>();
  subscriptions.on('immu-ts:call:start', (call) => {
    const attributes = { ...ofCall(call), ...ofServer(call.address) };
    spans.set(call, tracer.startSpan(nameOf(call), { kind: SpanKind.CLIENT, attributes }));
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
  span.updateName(nameOf(call));
  span.setAttributes({
    ...ofCall(call),
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
