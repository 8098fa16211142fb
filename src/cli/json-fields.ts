// Fields of a JSON object that somebody else may have written: each is what it has to be, or the error names it.

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

export class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #name: string;

  private constructor(fields: Readonly<Record<string, unknown>>, name: string) {
    this.#fields = fields;
    this.#name = name;
  }

  /** `name` is what errors call the text. */
  static parse(text: string, name: string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new Error(`${name} is not JSON`, { cause });
    }
    return JsonFields.#of(value, name);
  }

  static #of(value: unknown, name: string): JsonFields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`${name} is not a JSON object`);
    }
    return new JsonFields(value as Record<string, unknown>, name);
  }

  /** There, and not null. */
  has(field: string): boolean {
    return this.#own(field) !== undefined && this.#own(field) !== null;
  }

  text(field: string): string {
    const value = this.#own(field);
    if (typeof value !== 'string' || !value.isWellFormed()) throw this.#wrong(field, 'text');
    return value;
  }

  number(field: string): number {
    const value = this.#own(field);
    if (typeof value !== 'number' || value < 0) throw this.#wrong(field, 'a number of 0 or more');
    return value;
  }

  /** 0 to 2^63 - 1, as text. */
  id(field: string): bigint {
    const value = this.integer(field);
    if (value < 0n) throw this.#wrong(field, 'a whole number of 0 or more, as text');
    return value;
  }

  integer(field: string): bigint {
    const value = this.#own(field);
    if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value))
      throw this.#wrong(field, 'a whole number, as text');
    const integer = BigInt(value);
    if (integer > MAX_INT64 || integer < -MAX_INT64) throw this.#wrong(field, 'below 2^63');
    return integer;
  }

  /** Unix milliseconds of a time as `isoTime` writes it. */
  time(field: string): number {
    const value = this.text(field);
    const time = /^-?\d{1,16}$/.test(value) ? Number(value) : Date.parse(value);
    if (!Number.isSafeInteger(time)) throw this.#wrong(field, 'a time');
    return time;
  }

  hex(field: string, size?: number): Uint8Array {
    const value = this.#own(field);
    if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/.test(value))
      throw this.#wrong(field, 'bytes in hex');
    const bytes = new Uint8Array(Buffer.from(value, 'hex'));
    if (size !== undefined && bytes.length !== size) throw this.#wrong(field, `${size} bytes in hex`);
    return bytes;
  }

  base64(field: string): Uint8Array {
    const value = this.#own(field);
    // Node reads base64 leniently: only text that it would have written itself is one value of one text.
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : null;
    if (!bytes || bytes.toString('base64') !== value) throw this.#wrong(field, 'bytes in base64');
    return new Uint8Array(bytes);
  }

  objects(field: string): JsonFields[] {
    const value = this.#own(field);
    if (!Array.isArray(value)) throw this.#wrong(field, 'a list');
    return value.map((each: unknown, i) => JsonFields.#of(each, `${this.#name}: "${field}" ${i}`));
  }

  object(field: string): JsonFields {
    return JsonFields.#of(this.#own(field), `${this.#name}: "${field}"`);
  }

  #own(field: string): unknown {
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined;
  }

  #wrong(field: string, wanted: string): Error {
    return new Error(`${this.#name}: "${field}" must be ${wanted}`);
  }
}
