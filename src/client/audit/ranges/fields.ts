// Reads the fields of an object that others made, each of its kind, and no others.
import { ArgumentError } from '../../../errors.js';

export class Fields {
  readonly #name: string;
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  /** @throws ArgumentError when it is no object */
  constructor(name: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ArgumentError(name, `${name} must be an object`);
    this.#name = name;
    this.#value = value as Readonly<Record<string, unknown>>;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#value, field) && this.#value[field] !== undefined;
  }

  at(field: string): unknown {
    this.#read.add(field);
    return this.has(field) ? this.#value[field] : undefined;
  }

  text(field: string): string {
    const value = this.at(field);
    if (typeof value !== 'string') this.#bad(field, 'a text');
    return value;
  }

  flag(field: string): boolean {
    const value = this.at(field);
    if (typeof value !== 'boolean') this.#bad(field, 'true or false');
    return value;
  }

  count(field: string): number {
    const value = this.at(field);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      this.#bad(field, 'a whole number from 0 on');
    return value;
  }

  /** Of a transaction: decimal, as it is written. */
  id(field: string): string {
    const value = this.text(field);
    if (!/^(0|[1-9]\d{0,18})$/.test(value) || BigInt.asIntN(64, BigInt(value)) < 0n)
      this.#bad(field, 'the number of a transaction, decimal');
    return value;
  }

  hex(field: string, bytes: number): string {
    const value = this.text(field);
    if (value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) this.#bad(field, `${bytes} bytes in hex`);
    return value;
  }

  hexOrNull(field: string, bytes: number): string | null {
    return this.at(field) === null ? null : this.hex(field, bytes);
  }

  time(field: string): string {
    const value = this.text(field);
    const at = new Date(value);
    if (Number.isNaN(at.getTime()) || at.toISOString() !== value) this.#bad(field, 'a time, ISO 8601 in UTC');
    return value;
  }

  /** What nobody has read is not to be there. */
  end(): void {
    const unknown = Object.keys(this.#value).find((field) => !this.#read.has(field));
    if (unknown !== undefined)
      throw new ArgumentError(this.#name, `${this.#name} has no ${JSON.stringify(unknown.slice(0, 100))}`);
  }

  #bad(field: string, what: string): never {
    throw new ArgumentError(this.#name, `${this.#name}.${field} must be ${what}`);
  }
}

/** @throws ArgumentError when there are more than `max`, or one is not as it should be */
export function listOf<T>(name: string, value: unknown, max: number, read: (fields: Fields) => T): T[] {
  if (!Array.isArray(value)) throw new ArgumentError(name, `${name} must be an array`);
  if (value.length > max) throw new ArgumentError(name, `${name} has more than ${max}`);
  return value.map((each: unknown, i) => {
    const fields = new Fields(`${name}[${i}]`, each);
    const item = read(fields);
    fields.end();
    return item;
  });
}
