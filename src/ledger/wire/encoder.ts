// Writes answers as immudb does: fields in ascending order, zero values left out. Messages are written from their end
// to their beginning, so the length of a nested message is known when its prefix is written.
import type { PackageDefinition } from '@grpc/proto-loader';

/** Parts of a field descriptor that encoding needs. */
interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

type WriteValue = (out: BackwardWriter, value: unknown) => void;

interface FieldEncoder {
  readonly name: string;
  readonly repeated: boolean;
  /** Field number and wire type. */
  readonly tag: number;
  readonly isDefault: (value: unknown) => boolean;
  readonly write: WriteValue;
}

/** Encodes messages of every type of a schema. */
export class MessageEncoder {
  readonly #schema: PackageDefinition;
  readonly #types = new Map<string, readonly FieldEncoder[]>();
  readonly #out = new BackwardWriter();

  constructor(schema: PackageDefinition) {
    this.#schema = schema;
  }

  /** Serialiser of a message type, e.g. `immudb.schema.Entry`. */
  serializerOf(type: string): (message: object) => Buffer {
    const fields = this.#fieldsOf(type);
    return (message) => {
      this.#out.reset();
      writeFields(this.#out, fields, message);
      return this.#out.take();
    };
  }

  #fieldsOf(type: string): readonly FieldEncoder[] {
    const known = this.#types.get(type);
    if (known) return known;
    const fields: FieldEncoder[] = [];
    this.#types.set(type, fields);
    const definition = this.#schema[type];
    if (!definition || !('type' in definition)) throw new RangeError(`the schema has no message ${type}`);
    const { field } = definition.type as { field: FieldDescriptor[] };
    const scope = type.slice(0, type.lastIndexOf('.'));
    for (const one of [...field].sort((a, b) => b.number - a.number))
      fields.push(this.#field(one, scope, type));
    return fields;
  }

  #field(field: FieldDescriptor, scope: string, owner: string): FieldEncoder {
    const { name } = field;
    const repeated = field.label === 'LABEL_REPEATED';
    const scalar = SCALARS[field.type];
    if (scalar) return { name, repeated, tag: field.number * 8 + scalar.wireType, ...scalar };
    if (field.type !== 'TYPE_MESSAGE') return unsupported(name, `${owner}.${name} is of ${field.type}`);
    const type = [
      `${owner}.${field.typeName}`,
      `${scope}.${field.typeName}`,
      `immudb.${field.typeName}`,
      field.typeName,
    ].find((candidate) => candidate in this.#schema);
    if (type === undefined) return unsupported(name, `${owner}.${name} is of unknown type ${field.typeName}`);
    const nested = this.#fieldsOf(type);
    return {
      name,
      repeated,
      tag: field.number * 8 + 2,
      isDefault: (value) => value === null,
      write: (out, value) => {
        const before = out.length;
        writeFields(out, nested, value as object);
        out.varint(out.length - before);
      },
    };
  }
}

/** A field that no answer of the ledger fills: filling it is a defect. */
function unsupported(name: string, why: string): FieldEncoder {
  return {
    name,
    repeated: false,
    tag: 0,
    isDefault: () => false,
    write: () => {
      throw new RangeError(`cannot be written: ${why}`);
    },
  };
}

function writeFields(out: BackwardWriter, fields: readonly FieldEncoder[], message: object): void {
  for (const field of fields) {
    const value = (message as Record<string, unknown>)[field.name];
    if (value === undefined) continue;
    if (field.repeated) {
      const values = value as readonly unknown[];
      for (let i = values.length - 1; i >= 0; i--) {
        field.write(out, values[i]);
        out.varint(field.tag);
      }
    } else if (!field.isDefault(value)) {
      field.write(out, value);
      out.varint(field.tag);
    }
  }
}

interface Scalar {
  readonly wireType: number;
  readonly isDefault: (value: unknown) => boolean;
  readonly write: WriteValue;
}

const integer: Scalar = {
  wireType: 0,
  isDefault: (value) => value === 0 || value === '0' || value === 0n,
  write: (out, value) => {
    if (typeof value === 'number' && value >= 0) out.varint(value);
    else out.varint64(BigInt.asUintN(64, BigInt(value as string | number | bigint)));
  },
};

const lengthDelimited = (write: WriteValue): Scalar => ({
  wireType: 2,
  isDefault: (value) => (value as { length: number }).length === 0,
  write,
});

const SCALARS: Readonly<Record<string, Scalar>> = {
  TYPE_UINT64: integer,
  TYPE_INT64: integer,
  TYPE_UINT32: integer,
  TYPE_INT32: integer,
  TYPE_BOOL: {
    wireType: 0,
    isDefault: (value) => value === false,
    write: (out) => out.varint(1),
  },
  TYPE_DOUBLE: {
    wireType: 1,
    // Minus zero is not the default.
    isDefault: (value) => Object.is(value, 0),
    write: (out, value) => out.double(value as number),
  },
  TYPE_FLOAT: {
    wireType: 5,
    isDefault: (value) => Object.is(value, 0),
    write: (out, value) => out.float(value as number),
  },
  TYPE_STRING: lengthDelimited((out, value) => out.bytes(Buffer.from(value as string, 'utf8'))),
  TYPE_BYTES: lengthDelimited((out, value) => out.bytes(value as Uint8Array)),
};

const FIRST_CAPACITY = 1 << 16;
/** A buffer that one large answer made is not kept. */
const KEPT_CAPACITY = 1 << 20;

/** Bytes written from the last to the first. */
class BackwardWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #at = FIRST_CAPACITY;

  get length(): number {
    return this.#buffer.length - this.#at;
  }

  reset(): void {
    if (this.#buffer.length > KEPT_CAPACITY) this.#buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
    this.#at = this.#buffer.length;
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  /** Requires 0 <= value < 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    if (value < 0x80) {
      this.#buffer[--this.#at] = value;
      return;
    }
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
    this.#at -= size;
    let rest = value;
    for (let i = 0; i < size; i++) {
      this.#buffer[this.#at + i] = (rest % 128) | (i < size - 1 ? 0x80 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  varint64(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#at -= 4;
    this.#buffer.writeFloatLE(value, this.#at);
  }

  /** Length-prefixed. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#buffer.set(value, this.#at);
    this.varint(value.length);
  }

  #reserve(count: number): void {
    if (count <= this.#at) return;
    const used = this.length;
    const capacity = Math.max(this.#buffer.length * 2, used + count + FIRST_CAPACITY);
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown, capacity - used, this.#at);
    this.#buffer = grown;
    this.#at = capacity - used;
  }
}
