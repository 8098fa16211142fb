// When a value expires, as people write it.
import { UsageError } from '../command.js';

export const EXPIRY_OPTIONS = {
  'expires-at': {
    type: 'string',
    value: 'TIME',
    says: 'reads find no value from then on: 2027-01-31T08:00Z, or unix seconds',
  },
  'expires-in': { type: 'string', value: 'SPAN', says: 'the same from now on: 90s, 15m, 24h, 7d or 2w' },
} as const;

type ExpiryWords = { readonly [Name in keyof typeof EXPIRY_OPTIONS]: string | undefined };

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;

/** Unix seconds; undefined for never. @throws UsageError */
export function expiryOf(
  { 'expires-at': at, 'expires-in': within }: ExpiryWords,
  nowMs = Date.now(),
): bigint | undefined {
  if (at !== undefined && within !== undefined)
    throw new UsageError('--expires-at goes without --expires-in');
  if (within !== undefined) {
    const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(within) ?? [];
    if (count === undefined)
      throw new UsageError(`--expires-in is a span such as 24h, not ${JSON.stringify(within)}`);
    const seconds = Number(count) * UNITS[unit as keyof typeof UNITS];
    return BigInt(Math.floor(nowMs / 1000) + seconds);
  }
  if (at === undefined) return undefined;
  if (/^\d{1,12}$/.test(at)) return BigInt(at);
  const ms = MOMENT.test(at) ? Date.parse(at) : NaN;
  if (Number.isNaN(ms)) {
    const wanted = 'a time with its offset such as 2027-01-31T08:00Z, or unix seconds';
    throw new UsageError(`--expires-at is ${wanted}, not ${JSON.stringify(at)}`);
  }
  return BigInt(Math.floor(ms / 1000));
}
