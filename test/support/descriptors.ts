// Reads encoded file descriptors and says what they define as plain lines, one fact a line, to be compared as sets.
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

interface Field {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
  readonly options?: { readonly deprecated?: boolean; readonly packed?: boolean };
}
interface Message {
  readonly name: string;
  readonly field?: readonly Field[];
  readonly nestedType?: readonly Message[];
  readonly enumType?: readonly Enum[];
  readonly oneofDecl?: readonly { readonly name: string }[];
  readonly reservedRange?: readonly { readonly start: number; readonly end: number }[];
  readonly reservedName?: readonly string[];
  readonly options?: { readonly mapEntry?: boolean; readonly deprecated?: boolean };
}
interface Enum {
  readonly name: string;
  readonly value?: readonly { readonly name: string; readonly number: number }[];
}
interface Service {
  readonly name: string;
  readonly method?: readonly {
    readonly name: string;
    readonly inputType: string;
    readonly outputType: string;
    readonly clientStreaming?: boolean;
    readonly serverStreaming?: boolean;
    readonly options?: { readonly deprecated?: boolean };
  }[];
}
export interface File {
  readonly name: string;
  readonly package?: string;
  readonly syntax?: string;
  readonly dependency?: readonly string[];
  readonly messageType?: readonly Message[];
  readonly enumType?: readonly Enum[];
  readonly service?: readonly Service[];
}

const descriptor = loadSync('google/protobuf/descriptor.proto', { keepCase: true, enums: String });
const fileType = descriptor['google.protobuf.FileDescriptorProto'] as MessageTypeDefinition<object, File>;

export function decodeFile(bytes: Buffer): File {
  return fileType.deserialize(bytes);
}

/**
 * All that the files define in packages starting with `packagePrefix`: services, methods, messages, fields, enums, values.
 * `reservedEnd` says how the files write the end of a reserved range: descriptors name the number after the last one,
 * protobufjs the last one.
 */
export function factsOf(
  files: readonly Buffer[],
  packagePrefix: string,
  reservedEnd: 'inclusive' | 'exclusive',
): string[] {
  const decoded = files.map(decodeFile);
  const known = new Map<string, Message | Enum>();
  for (const file of decoded) collect(known, file.package ?? '', file.messageType, file.enumType);
  const facts: string[] = [];
  const say = (line: string, deprecated = false): unknown =>
    facts.push(deprecated ? `${line} deprecated` : line);

  for (const file of decoded) {
    const scope = file.package ?? '';
    if (!scope.startsWith(packagePrefix)) continue;
    for (const service of file.service ?? []) {
      say(`service ${scope}.${service.name}`);
      for (const m of service.method ?? []) {
        const input = `${m.clientStreaming ? 'stream ' : ''}${resolve(known, scope, m.inputType)}`;
        const output = `${m.serverStreaming ? 'stream ' : ''}${resolve(known, scope, m.outputType)}`;
        say(`rpc ${scope}.${service.name}.${m.name}(${input}) returns (${output})`, m.options?.deprecated);
      }
    }
  }
  for (const [name, type] of known) {
    if (!name.startsWith(packagePrefix)) continue;
    if (isEnum(type)) {
      say(`enum ${name}`);
      for (const value of type.value ?? []) say(`${name}.${value.name} = ${value.number}`);
    } else if (!type.options?.mapEntry) sayMessage(name, type);
  }
  return facts.sort();

  function sayMessage(name: string, message: Message): void {
    say(`message ${name}`, message.options?.deprecated);
    for (const field of message.field ?? []) {
      const packed = field.options?.packed === false ? ' unpacked' : '';
      say(
        `${name}.${field.name} = ${field.number}: ${typeOf(name, message, field)}${packed}`,
        field.options?.deprecated,
      );
    }
    for (const { start, end } of message.reservedRange ?? [])
      say(`${name} reserves ${start} to ${reservedEnd === 'inclusive' ? end : end - 1}`);
    for (const reserved of message.reservedName ?? []) say(`${name} reserves "${reserved}"`);
  }

  function typeOf(scope: string, message: Message, field: Field): string {
    const type = plainType(scope, field);
    const target = field.typeName ? known.get(type) : undefined;
    if (target && !isEnum(target) && target.options?.mapEntry) {
      const [key, value] = target.field ?? [];
      if (!key || !value) throw new Error(`${type} is no map entry`);
      return `map<${plainType(type, key)}, ${plainType(type, value)}>`;
    }
    if (field.label === 'LABEL_REPEATED') return `repeated ${type}`;
    if (field.proto3Optional) return `optional ${type}`;
    const oneof = field.oneofIndex === undefined ? undefined : message.oneofDecl?.[field.oneofIndex];
    return oneof ? `${type} in oneof ${oneof.name}` : type;
  }

  function plainType(scope: string, field: Field): string {
    return field.typeName
      ? resolve(known, scope, field.typeName)
      : field.type.replace('TYPE_', '').toLowerCase();
  }
}

/** A name with a leading dot is absolute; any other is looked for from the innermost scope outwards. */
function resolve(known: ReadonlyMap<string, unknown>, scope: string, name: string): string {
  if (name.startsWith('.')) return name.slice(1);
  for (let path = scope.split('.'); ; path = path.slice(0, -1)) {
    const candidate = [...path, name].join('.');
    if (known.has(candidate)) return candidate;
    if (path.length === 0) throw new Error(`${name}, named in ${scope}, is defined nowhere`);
  }
}

function collect(
  known: Map<string, Message | Enum>,
  scope: string,
  messages: readonly Message[] = [],
  enums: readonly Enum[] = [],
): void {
  for (const one of enums) known.set(`${scope}.${one.name}`, { value: [], ...one });
  for (const one of messages) {
    known.set(`${scope}.${one.name}`, one);
    collect(known, `${scope}.${one.name}`, one.nestedType, one.enumType);
  }
}

function isEnum(type: Message | Enum): type is Enum {
  return 'value' in type;
}
