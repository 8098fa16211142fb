// Loads the wire schema once, with 64-bit fields as decimal strings (never as JS numbers).
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Methods } from './messages.js';
import { SCHEMA_DATA } from './schema-data.js';

/**
 * A message as proto-loader takes and gives it: fields by their wire names, bytes as Buffer, 64-bit as string. `messages.ts`
 * has a type for each.
 */
export type WireMessage = object;

export type WireMethod = MethodDefinition<WireMessage, WireMessage>;

const SERVICES = [
  'immudb.schema.ImmuService',
  'immudb.model.DocumentService',
  'immudb.model.AuthorizationService',
] as const;

export type ServiceName = (typeof SERVICES)[number];

let loaded: PackageDefinition | undefined;
let methods: ReadonlyMap<keyof Methods, WireMethod> | undefined;

/** The whole schema; made at the first call. */
export function loadSchema(): PackageDefinition {
  loaded ??= fromJSON(SCHEMA_DATA, {
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

/** The methods of all services. One whose name an earlier service has already is named with its service. */
export function allMethods(): ReadonlyMap<keyof Methods, WireMethod> {
  methods ??= nameMethods();
  return methods;
}

function nameMethods(): ReadonlyMap<keyof Methods, WireMethod> {
  const named = new Map<string, WireMethod>();
  for (const service of SERVICES) {
    const prefix = service.slice(service.lastIndexOf('.') + 1);
    for (const [name, definition] of Object.entries(serviceDefinition(service)))
      named.set(named.has(name) ? `${prefix}.${name}` : name, definition as WireMethod);
  }
  return named as ReadonlyMap<keyof Methods, WireMethod>;
}

/** A method of any service, by its name in {@link Methods}. Throws RangeError when there is no such method. */
export function wireMethod(name: keyof Methods): WireMethod {
  const definition = allMethods().get(name);
  if (!definition) throw new RangeError(`no service has a method ${name}`);
  return definition;
}
