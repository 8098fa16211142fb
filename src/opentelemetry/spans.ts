// A span per call: begun where the caller is, so that it is a child of what the caller does.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import type { CallEvent, CallStartEvent } from '../index.js';
import { ofCall } from './attributes.js';
import type { Subscriptions } from './subscriptions.js';

/** What spans of calls of one kind begin with. */
interface Beginning {
  readonly attributes: Attributes;
  readonly name: string;
  readonly options: SpanOptions;
}

export function traceCalls(tracer: Tracer, subscriptions: Subscriptions): void {
  /** Of calls that are recorded and not over. A call is one object from its beginning to its end, and each of them ends. */
  const spans = new Map<CallStartEvent, Span>();
  let last: Beginning | undefined;
  subscriptions.on('immu-ts:call:start', (call) => {
    const attributes = ofCall(call);
    if (last?.attributes !== attributes)
      last = { attributes, name: nameOf(call), options: { kind: SpanKind.CLIENT, attributes } };
    const span = tracer.startSpan(last.name, last.options);
    // One that is not recorded, as most are where they are sampled, needs no more.
    if (span.isRecording()) spans.set(call, span);
    else span.end();
  });
  subscriptions.on('immu-ts:call', (call) => {
    // Where few are recorded, most calls are over with this.
    if (spans.size === 0) return;
    const span = spans.get(call);
    if (!span) return;
    spans.delete(call);
    end(span, call);
  });
}

function nameOf({ operation, database }: CallStartEvent): string {
  return database === undefined ? operation : `${operation} ${database}`;
}

/** By the thousand: marks are put together one by one. */
function end(span: Span, call: CallEvent): void {
  const { code, rpcs, sends, tx, entries, waitedMs, key, message } = call;
  const [rpc] = rpcs;
  if (rpc !== undefined && rpc === call.operation)
    span.updateName(nameOf(call)).setAttribute('db.operation.name', rpc);
  const marks: Attributes = { 'immudb.code': code, 'immudb.sends': sends, 'immudb.waited_ms': waitedMs };
  if (rpc !== undefined) marks['rpc.method'] = rpcs.length === 1 ? rpc : [...rpcs];
  if (tx !== undefined) marks['immudb.tx'] = tx.toString();
  if (entries !== undefined) marks['immudb.entries'] = entries;
  if (key !== undefined) marks['immudb.key'] = key;
  if (code !== 'OK') marks['error.type'] = code;
  span.setAttributes(marks);
  if (code !== 'OK') span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? code });
  span.end();
}
