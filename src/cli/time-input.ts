// Times as an auditor writes them.
import { UsageError } from './command.js';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const AGO = /^(\d{1,6})([smhdw])$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * Unix milliseconds of `24h` (ago; also s, m, d, w), of a day (UTC: its first moment as `from`, its last as `to`), or of a
 * moment in ISO 8601 (UTC unless it names its offset).
 *
 * @throws UsageError
 */
export function parseTime(edge: 'from' | 'to', text: string, nowMs: number): number {
  const [, count = '', unit = ''] = AGO.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return nowMs - Number(count) * unitMs;
  if (DAY.test(text)) {
    const start = checked(edge, text, `${text}T00:00:00Z`);
    return edge === 'from' ? start : start + 86_400_000 - 1;
  }
  if (!MOMENT.test(text)) throw wrong(edge, text);
  return checked(edge, text, /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}

function checked(edge: string, text: string, iso: string): number {
  const time = Date.parse(iso);
  // A day that no month has, such as 31 April, would be taken for one in the next month.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (
    Number.isNaN(time) ||
    Number.isNaN(day.getTime()) ||
    day.toISOString().slice(0, 10) !== text.slice(0, 10)
  ) {
    throw wrong(edge, text);
  }
  return time;
}

function wrong(edge: string, text: string): UsageError {
  return new UsageError(
    `--${edge} is a time such as 2026-01-31, 2026-01-31T08:00Z or 24h (ago), not ${JSON.stringify(text)}`,
  );
}
