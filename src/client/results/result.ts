// What calls resolve to: plain data that can be logged, printed and put into JSON. Methods stand on the prototype: results are made
// by the million.
import type { InspectOptionsStylized } from 'node:util';
import { INSPECT, fieldsOf, printed } from './readable.js';
import type { JsonForm } from './readable.js';

export class Result {
  /** @internal See {@link jsonForm}. */
  toJSON(): Record<string, JsonForm> {
    return fieldsOf(this);
  }

  /** @internal */
  [INSPECT](
    depth: number | null,
    options: InspectOptionsStylized,
    inspect: (value: unknown, options: InspectOptionsStylized) => string,
  ): string {
    // Not its own: a row may have a column of that name.
    const { name } = (Object.getPrototypeOf(this) as Result).constructor;
    return printed(name === Result.name ? '' : name, this, depth, options, inspect);
  }
}

/** A result of these fields, which are what it shows: as plain as they are. */
export function resultOf<T extends object>(fields: T): T {
  return Object.assign(new Result(), fields);
}

/** A result whose fields a server has named: each is a field of its own, whatever its name means elsewhere. */
export function namedResult<T>(fields: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const result = new Result() as Result & Record<string, T>;
  for (const [name, value] of fields) {
    // An assignment to that name would change what the result is.
    if (name === '__proto__')
      Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
    else (result as Record<string, T>)[name] = value;
  }
  return result;
}
