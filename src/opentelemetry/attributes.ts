// What spans and metrics are marked with: the names of OpenTelemetry's conventions for databases, and ours for what is only here.
// Most calls are marked as one before them was: marks are made once.
import type { Attributes } from '@opentelemetry/api';
import type { CallEvent, CallStartEvent } from '../index.js';

const SYSTEM: Attributes = { 'db.system.name': 'immudb' };
/** Marks that are kept; who names more has each made anew. */
const MAX_KEPT = 4096;

const kept = new Map<string, Attributes>();

function once(name: string, make: () => Attributes): Attributes {
  const known = kept.get(name);
  if (known) return known;
  const made = Object.freeze(make());
  if (kept.size < MAX_KEPT) kept.set(name, made);
  return made;
}

/** `host:port`, as clients have it. */
export function ofServer(address: string): Attributes {
  return once(address, () => {
    const [, host = address, port] = /^(.*):(\d+)$/.exec(address) ?? [];
    return { ...SYSTEM, 'server.address': host, ...(port !== undefined && { 'server.port': Number(port) }) };
  });
}

export function ofDatabase(address: string, database: string): Attributes {
  return once(`${address}\n${database}`, () => ({ ...ofServer(address), 'db.namespace': database }));
}

/** What calls of one kind have in common. */
type Named = Pick<CallStartEvent, 'address' | 'operation' | 'database' | 'verified'>;

/** What the call before was marked with: most are of its kind, and known by that without a look into all kinds. */
let last:
  { operation: string; database: string | undefined; address: string; attributes: Attributes } | undefined;

export function ofCall(named: Named): Attributes {
  const { operation, database, address } = named;
  if (last?.operation === operation && last.database === database && last.address === address)
    return last.attributes;
  const attributes = ofNamed(named);
  last = { operation, database, address, attributes };
  return attributes;
}

function ofNamed({ address, operation, database, verified }: Named): Attributes {
  return once(`${address}\n${database ?? ''}\n${operation}`, () => ({
    ...(database === undefined ? ofServer(address) : ofDatabase(address, database)),
    'db.operation.name': operation,
    'immudb.verified': verified,
  }));
}

/** The same with what it ended with. */
export function ofEnded(call: Named, code: CallEvent['code']): Attributes {
  const { address, operation, database = '' } = call;
  return once(`${address}\n${database}\n${operation}\n${code}`, () => ({
    ...ofCall(call),
    'immudb.code': code,
    ...(code !== 'OK' && { 'error.type': code }),
  }));
}
