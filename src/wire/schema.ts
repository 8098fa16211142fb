// Loads the wire schema in proto/ once, with 64-bit fields as decimal strings (never as JS numbers).
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';

/** A message as proto-loader takes and gives it: fields by their wire names, bytes as Buffer, 64-bit as string. */
export type WireMessage = object;

export type WireMethod = MethodDefinition<WireMessage, WireMessage>;

const FILES = [
  'immudb/schema/service.proto',
  'immudb/model/documents.proto',
  'immudb/model/authorization.proto',
];

export type ServiceName =
  'immudb.schema.ImmuService' | 'immudb.model.DocumentService' | 'immudb.model.AuthorizationService';

let loaded: PackageDefinition | undefined;

/** The whole schema; loaded from disk at the first call. */
export function loadSchema(): PackageDefinition {
  loaded ??= loadSync(FILES, {
    includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
    keepCase: true,
    longs: String,
    enums: String,
    oneofs: true,
    defaults: false,
  });
  return loaded;
}

/** Definition of a service: its methods by name. */
export function serviceDefinition(name: ServiceName): ServiceDefinition {
  return loadSchema()[name] as ServiceDefinition;
}

/** Path, (de)serializers and kind of one method. Throws RangeError when there is no such method. */
export function methodDefinition(service: ServiceName, method: string): WireMethod {
  const definition = serviceDefinition(service)[method];
  if (!definition) throw new RangeError(`${service} has no method ${method}`);
  return definition as WireMethod;
}
