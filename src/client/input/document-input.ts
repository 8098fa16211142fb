// Documents as callers give them: a checked copy that nobody else can change, or an error that names the place.
import { ArgumentError } from '../../errors.js';
import { setField } from '../../proof/documents/values.js';
import type { DocumentFields, DocumentValue } from '../../proof/documents/values.js';
import { kindOf } from './option-checks.js';

/** A value as it is given: whole numbers may be bigints, as long as a double has them. */
export type DocumentValueInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly DocumentValueInput[]
  | { readonly [field: string]: DocumentValueInput };

/** A document to be stored. */
export type DocumentInput = Readonly<Record<string, DocumentValueInput>>;

/** Objects and lists in one another, the document itself included. */
export const MAX_DOCUMENT_DEPTH = 100;
/** What a message to the server holds, and so all documents of a call together. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

/** What is left for the values of one call: an array may say that it has more than there is memory. */
export class DocumentBudget {
  #left = MAX_DOCUMENT_BYTES;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      const what = `${this.#name} has more than ${MAX_DOCUMENT_BYTES} bytes: a call takes no more`;
      throw new ArgumentError(this.#name, what, 'LIMIT_EXCEEDED');
    }
  }
}

/** Throws ArgumentError naming the place in the document, such as `document.items[3].price`. */
export function toDocument(
  name: string,
  input: unknown,
  budget: DocumentBudget = new DocumentBudget(name),
): DocumentFields {
  if (!isPlainObject(input)) return wrong(name, `must be a plain object, not ${kindOf(input)}`);
  return new Copy(budget).object(name, input, 1);
}

/** The same for one value. */
export function toDocumentValue(name: string, input: unknown): DocumentValue {
  return new Copy(new DocumentBudget(name)).value(name, input, 1);
}

/** What a value takes on the wire beside its text: a bound for what is held, not its exact size. */
const VALUE_BYTES = 4;

class Copy {
  readonly #budget: DocumentBudget;
  /** Objects and lists around what is copied: one that comes again holds itself. */
  readonly #around = new Set<object>();

  constructor(budget: DocumentBudget) {
    this.#budget = budget;
  }

  object(name: string, input: object, depth: number): DocumentFields {
    this.#enter(name, input, depth);
    const fields: Record<string, DocumentValue> = {};
    for (const key of Reflect.ownKeys(input)) {
      if (typeof key === 'symbol') return wrong(name, 'has a field that is named by a symbol');
      const place = `${name}.${key}`;
      if (Object.getOwnPropertyDescriptor(input, key)?.enumerable !== true) continue;
      setField(
        fields,
        this.#text(place, key),
        this.value(place, (input as Record<string, unknown>)[key], depth + 1),
      );
    }
    this.#around.delete(input);
    return fields;
  }

  value(name: string, input: unknown, depth: number): DocumentValue {
    this.#budget.take(VALUE_BYTES);
    switch (typeof input) {
      case 'boolean':
        return input;
      case 'number':
        return input;
      case 'bigint':
        return toDouble(name, input);
      case 'string':
        return this.#text(name, input);
      case 'undefined':
        return wrong(name, 'is undefined, which documents have not: leave it out, or give null');
      case 'object':
        if (input === null) return null;
        if (Array.isArray(input)) return this.#list(name, input, depth);
        if (isPlainObject(input)) return this.object(name, input, depth);
        return noValue(name, input);
      default:
        return noValue(name, input);
    }
  }

  #list(name: string, input: readonly unknown[], depth: number): DocumentValue[] {
    this.#enter(name, input, depth);
    const { length } = input;
    this.#budget.take(length * VALUE_BYTES);
    const list: DocumentValue[] = [];
    for (let i = 0; i < length; i++) list.push(this.value(`${name}[${i}]`, input[i], depth + 1));
    this.#around.delete(input);
    return list;
  }

  #enter(name: string, input: object, depth: number): void {
    if (this.#around.has(input)) wrong(name, 'holds itself');
    if (depth > MAX_DOCUMENT_DEPTH) wrong(name, `is nested deeper than ${MAX_DOCUMENT_DEPTH} levels`);
    this.#around.add(input);
  }

  #text(name: string, text: string): string {
    if (!text.isWellFormed()) wrong(name, 'holds a lone surrogate: it has no UTF-8 form');
    this.#budget.take(Buffer.byteLength(text));
    return text;
  }
}

function noValue(name: string, input: unknown): never {
  const values = 'null, a boolean, a number, a string, an array or a plain object';
  return wrong(name, `must be ${values}, not ${kindOf(input)}`);
}

function toDouble(name: string, value: bigint): number {
  const double = Number(value);
  if (!Number.isSafeInteger(double))
    wrong(name, 'is beyond 2^53-1: documents have doubles, which have not all of these; give it as a string');
  return double;
}

/** Made by a literal, by JSON, without a prototype, or in another realm: of no class that means something else. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function wrong(name: string, what: string): never {
  throw new ArgumentError(name, `${name} ${what}`);
}
