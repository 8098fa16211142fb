// What an auditor can ask for: the same words on the command line and in the form of the audit page.
import { OUTCOMES } from '../store/log/audit-query.js';
import type { AuditOutcome, RootsFilter } from '../index.js';
import { UsageError } from './command.js';
import { parseTime } from './time-input.js';

export const QUERY_OPTIONS = {
  server: { type: 'string', value: 'ID', says: 'only this server identity' },
  database: { type: 'string', value: 'NAME', says: 'only this database' },
  tx: { type: 'string', value: 'A..B', says: 'only roots of these transactions: 7, 7..9, 7.. or ..9' },
  from: { type: 'string', value: 'TIME', says: 'not before: 2026-01-31, 2026-01-31T08:00Z, or 24h (ago)' },
  to: { type: 'string', value: 'TIME', says: 'not after; a day alone is taken to its end' },
  operation: { type: 'string', value: 'NAME', says: 'only this call, e.g. verifiedSet' },
  outcome: {
    type: 'string',
    value: 'A,B',
    says: 'only these outcomes; problems = all that is not well; all = book-keeping rows too',
  },
} as const;

/** What somebody has to look into. */
export const PROBLEMS: readonly AuditOutcome[] = ['failure', 'fork', 'rollback', 'identity-change'];

export type QueryWords = { readonly [Name in keyof typeof QUERY_OPTIONS]?: string | undefined };

/** Throws UsageError naming the word that cannot be meant. */
export function queryOf(words: QueryWords, nowMs: number): RootsFilter {
  const { server, database, tx, from, to, operation, outcome } = words;
  const fromMs = from === undefined ? undefined : parseTime('from', from, nowMs);
  const toMs = to === undefined ? undefined : parseTime('to', to, nowMs);
  return {
    ...(server !== undefined && { server }),
    ...(database !== undefined && { database }),
    ...(tx !== undefined && { txRange: txRange(tx) }),
    ...((fromMs !== undefined || toMs !== undefined) && {
      timeRange: { ...(fromMs !== undefined && { from: fromMs }), ...(toMs !== undefined && { to: toMs }) },
    }),
    ...(operation !== undefined && { operation }),
    ...(outcome !== undefined && { outcome: outcome === 'all' ? 'all' : outcomes(outcome) }),
  };
}

/** @throws UsageError */
export function orderOf(text: string): 'asc' | 'desc' {
  if (text !== 'asc' && text !== 'desc')
    throw new UsageError(`--order is asc or desc, not ${JSON.stringify(text)}`);
  return text;
}

/** A whole number of 0 or more. @throws UsageError */
export function countOf(name: string, text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new UsageError(`--${name} is a whole number, not ${JSON.stringify(text)}`);
  }
  return count;
}

/** Number of a row or a transaction. @throws UsageError */
export function idOf(name: string, text: string): bigint {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > 0x7fff_ffff_ffff_ffffn) {
    throw new UsageError(`${name} is a whole number below 2^63, not ${JSON.stringify(text)}`);
  }
  return BigInt(text);
}

function txRange(text: string): { from?: bigint; to?: bigint } {
  if (!text.includes('..')) return { from: idOf('--tx', text), to: idOf('--tx', text) };
  const [from = '', to = '', ...more] = text.split('..');
  if (more.length > 0 || (from === '' && to === '')) {
    throw new UsageError(`--tx is 7, 7..9, 7.. or ..9, not ${JSON.stringify(text)}`);
  }
  const range = {
    ...(from !== '' && { from: idOf('--tx', from) }),
    ...(to !== '' && { to: idOf('--tx', to) }),
  };
  if (range.from !== undefined && range.to !== undefined && range.from > range.to)
    throw new UsageError(`--tx ${from}..${to} ends before it begins`);
  return range;
}

function outcomes(text: string): AuditOutcome[] {
  const words = text.split(',').map((word) => word.trim());
  return words.flatMap((word) => {
    if (word === 'problems') return PROBLEMS;
    const known = OUTCOMES.find((outcome) => outcome === word);
    if (known) return [known];
    throw new UsageError(
      `--outcome is among ${OUTCOMES.join(', ')}, problems for ${PROBLEMS.join(', ')}, or all; not ${JSON.stringify(word)}`,
    );
  });
}
