// What spans and metrics are marked with: the names of OpenTelemetry's conventions for databases, and ours for what is only here.
import type { Attributes } from '@opentelemetry/api';
import type { CallStartEvent } from '../index.js';

export const SYSTEM: Attributes = { 'db.system.name': 'immudb' };

export function ofCall({ operation, database, verified }: CallStartEvent): Attributes {
  return {
    ...SYSTEM,
    'db.operation.name': operation,
    ...(database !== undefined && { 'db.namespace': database }),
    'immudb.verified': verified,
  };
}

/** `host:port`, as clients have it. */
export function ofServer(address: string): Attributes {
  const [, host = address, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { 'server.address': host, ...(port !== undefined && { 'server.port': Number(port) }) };
}
