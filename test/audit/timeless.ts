// Reports of audits, to be compared: those of one process and of many.

/** What depends on when, and in which cuts, it was looked at. */
const TIMES = ['startedAt', 'durationMs', 'bytes', 'txsPerSecond', 'entriesPerSecond', 'resume'];

/** A report, or its JSON, without that. */
export function timeless(report: object | string): object {
  const parsed = (typeof report === 'string' ? JSON.parse(report) : report) as object;
  return Object.fromEntries(Object.entries(parsed).filter(([name]) => !TIMES.includes(name)));
}
