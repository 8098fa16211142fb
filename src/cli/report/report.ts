// A report as it is signed: what was looked at, what came of it, and the commands that look again.
import type { Cell } from '../format/columns.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';

export const REPORT_FORMAT = 'immu-ts/report';
export const REPORT_VERSION = 1;

/**
 * - `holds`: all that was asked for was looked at, and holds;
 * - `told`: figures, of which nothing is judged;
 * - `found`: nothing is refuted, and there is something that somebody has to look into;
 * - `could-not-look`: nothing is refuted, and not everything was looked at;
 * - `refuted`: something is not what it claims to be.
 */
export type SectionVerdict = 'holds' | 'told' | 'found' | 'could-not-look' | 'refuted';
export type ReportVerdict = Exclude<SectionVerdict, 'told'>;

/** As people read them. */
export const VERDICT_WORDS: Readonly<Record<SectionVerdict, string>> = {
  holds: 'holds',
  told: 'figures',
  found: 'to be looked into',
  'could-not-look': 'could not look',
  refuted: 'REFUTED',
};

export interface ReportFinding {
  readonly text: string;
  /** Row of the log. */
  readonly seq?: string;
  /** Name of the check that failed. */
  readonly check?: string;
}

export interface Section {
  /** `log`, `checkpoint`, `gaps`, `databases`, `evidence`, `prove`, `database`. */
  readonly name: string;
  readonly title: string;
  readonly verdict: SectionVerdict;
  /** One sentence. */
  readonly summary: string;
  readonly counts: Readonly<Record<string, Cell>>;
  /** The first of them. */
  readonly findings: readonly ReportFinding[];
  readonly findingsTotal: number;
  /** What looks again. */
  readonly commands: readonly string[];
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  readonly version: typeof REPORT_VERSION;
  /** ISO 8601, by the clock of the machine that made it. */
  readonly madeAt: string;
  /** Release that made it. */
  readonly madeBy: string;
  readonly store: string;
  readonly verdict: ReportVerdict;
  /** What of the log was asked for; null: all. */
  readonly from: string | null;
  readonly to: string | null;
  readonly sections: readonly Section[];
  /** A checkpoint of the log as it was when the report was made, as `audit checkpoint` writes it; null: none could be made. */
  readonly checkpoint: unknown;
}

/** From bad to good. */
const WORST = ['refuted', 'could-not-look', 'found'] as const;

/** No section that could not look is ever passed over. */
export function verdictOf(sections: readonly Pick<Section, 'verdict'>[]): ReportVerdict {
  return WORST.find((verdict) => sections.some((section) => section.verdict === verdict)) ?? 'holds';
}

export function exitCodeOf(verdict: ReportVerdict): number {
  if (verdict === 'refuted') return REFUTED;
  return verdict === 'holds' ? HOLDS : FAILED;
}

/** A word of a command line as a POSIX shell takes it. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function commandLine(words: readonly string[]): string {
  return ['immu-ts', ...words.map(shellWord)].join(' ');
}
