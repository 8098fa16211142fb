// Templates of keys and values: text with the fields of a record in braces, such as `invoice/{customer.id}/{number}`.
import { UsageError } from '../../command.js';

/** What a record has for a template. */
export interface Fields {
  /** The record as it was read. */
  readonly whole: string;
  /** Its place among the records, from 0. */
  readonly index: number;
  readonly value: unknown;
}

/** @throws Error, which says what the record lacks */
export type Template = (fields: Fields) => string;

const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/**
 * `{a.b}`: a field, `{}`: the whole record, `{#}`: its place from 0; `{{` and `}}` are braces.
 *
 * @throws UsageError naming `name`
 */
export function templateOf(name: string, text: string): Template {
  const parts: (string | Template)[] = [];
  let from = 0;
  for (const match of text.matchAll(PART)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [whole, field] = match;
    if (whole === '{{' || whole === '}}') parts.push(whole.charAt(0));
    else if (field === undefined)
      throw new UsageError(`--${name} has a single ${whole}: write ${whole}${whole}`);
    else parts.push(partOf(field));
  }
  parts.push(text.slice(from));
  return (fields) => parts.map((part) => (typeof part === 'string' ? part : part(fields))).join('');
}

function partOf(field: string): Template {
  if (field === '') return ({ whole }) => whole;
  if (field === '#') return ({ index }) => index.toString();
  const path = field.split('.');
  return ({ value }) => {
    let found = value;
    // A name may have dots of its own, as in the header of a CSV file.
    for (const step of has(value, field) ? [field] : path) {
      if (!has(found, step)) throw new Error(`it has no ${JSON.stringify(field)}`);
      found = found[step];
    }
    if (found === null) throw new Error(`its ${JSON.stringify(field)} is null`);
    if (
      typeof found === 'number' &&
      (Number.isInteger(found) ? !Number.isSafeInteger(found) : !Number.isFinite(found))
    )
      throw new Error(`its ${JSON.stringify(field)} is a number that JSON readers round: make it a string`);
    return typeof found === 'string' ? found : JSON.stringify(found);
  };
}

function has(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}
