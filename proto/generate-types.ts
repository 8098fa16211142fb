// Writes what the client has of proto/: src/wire/messages.ts, a type for every message and what every RPC takes and gives; and
// src/wire/schema-data.ts, the schema itself, so that no file has to be found when it runs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type protobufjs from 'protobufjs';
import { allMethods } from '../src/wire/schema.js';

const TYPES = fileURLToPath(new URL('../src/wire/messages.ts', import.meta.url));
const DATA = fileURLToPath(new URL('../src/wire/schema-data.ts', import.meta.url));
const PROTO = fileURLToPath(new URL('./', import.meta.url));

// The one that reads proto/ when the client runs.
const { resolve } = createRequire(import.meta.url);
const protobuf = createRequire(resolve('@grpc/proto-loader'))('protobufjs') as typeof protobufjs;

const HEAD = `// Generated from proto/ by \`npm run wire-types\`: not to be changed by hand.
//
// Messages as \`schema.ts\` has them loaded. Every field may be absent: what is not sent has its default value. 64-bit numbers
// are decimal text; bytes come as Buffer; a value of an enum comes by its name, or as a number when the schema has no name for
// it. A oneof is a field of its own that names the member which is there: it comes, and need not be given.
`;

const KINDS = `
/** One request, one answer. */
export interface Unary<Request, Answer> { readonly kind: 'unary'; readonly request: Request; readonly answer: Answer }
/** One request, a stream of answers. */
export interface Down<Request, Answer> { readonly kind: 'down'; readonly request: Request; readonly answer: Answer }
/** A stream of requests, one answer. */
export interface Up<Request, Answer> { readonly kind: 'up'; readonly request: Request; readonly answer: Answer }
/** Streams both ways. */
export interface Both<Request, Answer> { readonly kind: 'both'; readonly request: Request; readonly answer: Answer }
`;

const SCALARS: Readonly<Record<string, string>> = {
  ...{ bool: 'boolean', string: 'string', bytes: 'Uint8Array', double: 'number', float: 'number' },
  ...{ int32: 'number', uint32: 'number', sint32: 'number', fixed32: 'number', sfixed32: 'number' },
  ...{ int64: 'string', uint64: 'string', sint64: 'string', fixed64: 'string', sfixed64: 'string' },
};

/** The files of proto/ that have services; they import the others. */
const SCHEMA_FILES = [
  'immudb/schema/service.proto',
  'immudb/model/documents.proto',
  'immudb/model/authorization.proto',
];

const DATA_HEAD = `// Generated from proto/ by \`npm run wire-types\`: not to be changed by hand. The schema as protobuf.js writes it down, a
// message or service a line.
`;

type Named = protobufjs.Type | protobufjs.Enum;

/** The file as it has to be. */
export async function wireTypes(): Promise<string> {
  const root = loadProto();
  root.resolveAll();
  const names = new Map<protobufjs.ReflectionObject, string>();
  nameAll(root, names);
  const types = [...names.keys()].map((type) => typeText(type as Named, names));
  const methods = [...allMethods()].map(([name, { path, requestStream, responseStream }]) => {
    const [, service, method] = path.split('/') as [string, string, string];
    const found = root.lookupService(service).methods[method] as protobufjs.Method;
    const [request, answer] = [found.resolvedRequestType, found.resolvedResponseType];
    const kind = requestStream ? (responseStream ? 'Both' : 'Up') : responseStream ? 'Down' : 'Unary';
    return `'${name}': ${kind}<${nameOf(request, names)}, ${nameOf(answer, names)}>;`;
  });
  const text = [HEAD, ...types, KINDS, 'export interface Methods {', ...methods, '}', ''].join('\n');
  return format(text, { ...(await resolveConfig(TYPES)), parser: 'typescript' });
}

/** The file as it has to be. */
export function schemaData(): string {
  const lines: string[] = [];
  const write = (name: string, value: object, depth: number) => {
    const { nested, ...rest } = value as { nested?: Record<string, object>; fields?: object };
    const indent = '  '.repeat(depth);
    // Namespaces over several lines, all else on one.
    if (!nested || rest.fields) {
      lines.push(`${indent}${JSON.stringify(name)}: ${JSON.stringify(value)},`);
      return;
    }
    const own = Object.entries(rest).map(
      ([key, part]) => ` ${JSON.stringify(key)}: ${JSON.stringify(part)},`,
    );
    lines.push(`${indent}${JSON.stringify(name)}: {${own.join('')} "nested": {`);
    for (const [inner, part] of Object.entries(nested)) write(inner, part, depth + 1);
    lines.push(`${indent}} },`);
  };
  for (const [name, value] of Object.entries(loadProto().toJSON().nested ?? {})) write(name, value, 1);
  return [DATA_HEAD, 'export const SCHEMA_DATA: object = { nested: {', ...lines, '} };', ''].join('\n');
}

function loadProto(): protobufjs.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, path) => (path.startsWith('google/') ? path : PROTO + path);
  return root.loadSync(SCHEMA_FILES, { keepCase: true });
}

/** Names all messages and enums below a namespace: one whose name is taken is named with its package. */
function nameAll(namespace: protobufjs.NamespaceBase, names: Map<protobufjs.ReflectionObject, string>): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type || nested instanceof protobuf.Enum) {
      const outer = namespace instanceof protobuf.Type ? nameOf(namespace, names) : '';
      const own = outer + nested.name;
      const isTaken = [...names.values()].includes(own);
      names.set(nested, isTaken ? capitalized(namespace.name) + own : own);
    }
    if (nested instanceof protobuf.Namespace) nameAll(nested, names);
  }
}

function nameOf(type: protobufjs.ReflectionObject | null, names: Map<protobufjs.ReflectionObject, string>) {
  const name = type && names.get(type);
  if (!name) throw new Error(`no name for ${type?.fullName ?? 'what was not resolved'}`);
  return name;
}

function typeText(type: Named, names: Map<protobufjs.ReflectionObject, string>): string {
  const name = nameOf(type, names);
  if (type instanceof protobuf.Enum) {
    const values = Object.keys(type.values).map((value) => `'${value}'`);
    return `\nexport type ${name} = ${[...values, 'number'].join(' | ')};`;
  }
  const fields = type.fieldsArray.map((field) => `readonly ${field.name}?: ${fieldText(field, names)};`);
  const members = type.oneofsArray.map(
    (oneof) => `readonly ${oneof.name}?: ${oneof.oneof.map((member) => `'${member}'`).join(' | ')};`,
  );
  if (fields.length === 0) return `\nexport type ${name} = Readonly<Record<string, never>>;`;
  return [`\nexport interface ${name} {`, ...fields, ...members, '}'].join('\n');
}

function fieldText(field: protobufjs.Field, names: Map<protobufjs.ReflectionObject, string>): string {
  const one = SCALARS[field.type] ?? nameOf(field.resolvedType, names);
  if (field instanceof protobuf.MapField)
    return `Readonly<Record<${SCALARS[field.keyType] ?? 'string'}, ${one}>>`;
  return field.repeated ? `readonly ${one}[]` : one;
}

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The types of methods are told by the schema as it is loaded.
  writeIfOther(DATA, schemaData());
  writeIfOther(TYPES, await wireTypes());
}

function writeIfOther(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}
