// What documents hold: the values of protobuf's Struct, as plain values of JavaScript, and when two of them are the same.

/** A value in a document. Numbers are doubles: `-0`, `NaN` and the infinities are among them. */
export type DocumentValue =
  null | boolean | number | string | readonly DocumentValue[] | { readonly [field: string]: DocumentValue };

/** A document, or an object in one. */
export type DocumentFields = Readonly<Record<string, DocumentValue>>;

/** Structs in structs that are read: more than any caller of ours may write, and few enough for the stack. */
export const MAX_READ_DEPTH = 1000;

export function isFields(value: DocumentValue | undefined): value is DocumentFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Its own field of this name; undefined: it has none. */
export function fieldOf(fields: DocumentFields, name: string): DocumentValue | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Sets a field of any name: `__proto__` too is one. */
export function setField(fields: Record<string, DocumentValue>, name: string, value: DocumentValue): void {
  if (name !== '__proto__') fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The same value, to the last bit of its numbers. The order of fields means nothing. */
export function sameValue(a: DocumentValue, b: DocumentValue): boolean {
  if (typeof a !== 'object' || a === null) return Object.is(a, b);
  if (Array.isArray(a)) {
    const list = a as readonly DocumentValue[];
    if (!Array.isArray(b) || b.length !== list.length) return false;
    return list.every((each, i) => sameValue(each, (b as readonly DocumentValue[])[i] as DocumentValue));
  }
  return isFields(b) && sameFields(a as DocumentFields, b);
}

export function sameFields(a: DocumentFields, b: DocumentFields): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const other = fieldOf(b, name);
    return other !== undefined && sameValue(a[name] as DocumentValue, other);
  });
}

/** The parts of a field's name: at most three, the last of which may have dots of its own. */
export function pathOf(name: string): readonly string[] {
  const [first = '', second, ...rest] = name.split('.');
  if (second === undefined) return [first];
  return rest.length === 0 ? [first, second] : [first, second, rest.join('.')];
}

/** What a document has where a field of its collection looks. Undefined: nothing. */
export function valueAt(fields: DocumentFields, name: string): DocumentValue | undefined {
  let at: DocumentValue | undefined = fields;
  for (const part of pathOf(name)) {
    if (!isFields(at)) return undefined;
    at = fieldOf(at, part);
  }
  return at;
}
