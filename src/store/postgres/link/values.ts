// How values of the server become ours. What is not of its type is refused: it came from elsewhere.

const PARSERS = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [17, bytesOf],
  [20, bigintOf],
  [21, numberOf],
  [23, numberOf],
  [701, Number],
]);

/** For the driver: int8 is a bigint, bytea a Uint8Array, numbers are numbers, all else is text. */
export const TYPES = {
  getTypeParser: (oid: number): ((text: string) => unknown) => PARSERS.get(oid) ?? String,
};

function bigintOf(text: string): bigint {
  if (!/^-?\d{1,19}$/.test(text)) throw new RangeError('it is no int8');
  return BigInt(text);
}

function numberOf(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new RangeError('it is no int4');
  return Number(text);
}

function bytesOf(text: string): Uint8Array {
  // Nobody else has its buffer: it may be handed on.
  const bytes = new Uint8Array((text.length - 2) >> 1);
  if (!text.startsWith('\\x') || Buffer.from(bytes.buffer).write(text.slice(2), 'hex') !== bytes.length)
    throw new RangeError('it is no bytea');
  return bytes;
}

/** The text of bytes that a store wrote. @throws TypeError when they are not UTF-8 */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Text as it is kept. */
export function asBytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** An array of numbers as PostgreSQL reads it. */
export function numberArray(values: readonly (bigint | number | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : String(value))).join(',')}}`;
}
