// Where an interrupted audit goes on, with all that its report says so far, as one line of text. It can be read by anyone, and
// is believed when the audit log has its hash (resume-points.ts).
import { ArgumentError } from '../../errors.js';
import { fromHex, toHex } from '../../proof/bytes.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import { COUNT_NAMES, noCounts } from '../../verify/stretch-counts.js';
import type { Root, StretchCounts } from '../../verify/verifier.js';
import type { AuditFinding } from './findings.js';
import type { DatabaseReport } from './report.js';

export interface ResumePoint {
  readonly server: string;
  readonly database: string;
  readonly withValues: boolean;
  /** First transaction of the whole audit. */
  readonly from: bigint;
  /** Everything up to here is done. `alh` is null when what precedes the next transaction was not proven. */
  readonly tx: bigint;
  readonly alh: Uint8Array | null;
  readonly counts: StretchCounts;
  readonly txsWrong: number;
  readonly valuesRefused: DatabaseReport['valuesRefused'];
  /** Values that are gone, if a truncation up to `upTo` is proven: how many, and up to which transaction. */
  readonly gone: { readonly values: number; readonly upTo: bigint };
  readonly truncatedUpTo: bigint;
  readonly findings: readonly AuditFinding[];
  readonly findingsTotal: number;
  readonly bytes: number;
  /** Unix milliseconds; how long it took so far. */
  readonly startedAt: number;
  readonly durationMs: number;
}

/** Where an audit is that begins behind a root, or behind a transaction, whatever its hash is. */
export function beginningAt({
  after,
  ...of
}: Pick<ResumePoint, 'server' | 'database' | 'withValues' | 'startedAt'> & {
  readonly after: bigint | Root;
}): ResumePoint {
  const root = typeof after === 'object' ? after : { tx: after, alh: after === 0n ? EMPTY_HASH : null };
  return {
    ...of,
    ...{ tx: root.tx, alh: root.alh, from: root.tx + 1n },
    ...{ counts: noCounts(), txsWrong: 0, valuesRefused: [] },
    gone: { values: 0, upTo: 0n },
    truncatedUpTo: 0n,
    ...{ findings: [], findingsTotal: 0, bytes: 0, durationMs: 0 },
  };
}

const VERSION = 2;

export function resumeToken(point: ResumePoint): string {
  const { tx, from, alh, gone, truncatedUpTo, ...rest } = point;
  const plain = {
    ...{ v: VERSION, ...rest, tx: tx.toString(), from: from.toString(), alh: alh && toHex(alh) },
    gone: { values: gone.values, upTo: gone.upTo.toString() },
    truncatedUpTo: truncatedUpTo.toString(),
  };
  return Buffer.from(JSON.stringify(plain)).toString('base64url');
}

/** @throws ArgumentError when it is no token of an audit of this database */
export function readResumeToken(
  token: string,
  of: { readonly server: string; readonly database: string },
): ResumePoint {
  const plain = parse(token);
  if (plain['v'] !== VERSION) refuse('is of another release');
  for (const name of ['server', 'database'] as const) {
    if (plain[name] !== of[name]) refuse(`is of another ${name}: ${JSON.stringify(plain[name])}`);
  }
  const counts = noCounts();
  for (const name of COUNT_NAMES) counts[name] = number((plain['counts'] as Fields | undefined)?.[name]);
  const { alh, findings, valuesRefused, withValues } = plain;
  if (!Array.isArray(findings) || !Array.isArray(valuesRefused) || typeof withValues !== 'boolean')
    refuse('is incomplete');
  return {
    ...of,
    withValues,
    from: id(plain['from']),
    tx: id(plain['tx']),
    alh: alh === null ? null : hash(alh),
    counts,
    txsWrong: number(plain['txsWrong']),
    valuesRefused: valuesRefused as DatabaseReport['valuesRefused'],
    gone: {
      values: number((plain['gone'] as Fields | undefined)?.['values']),
      upTo: id((plain['gone'] as Fields | undefined)?.['upTo']),
    },
    truncatedUpTo: id(plain['truncatedUpTo']),
    findings: findings as AuditFinding[],
    findingsTotal: number(plain['findingsTotal']),
    bytes: number(plain['bytes']),
    startedAt: number(plain['startedAt']),
    durationMs: number(plain['durationMs']),
  };
}

type Fields = Record<string, unknown>;

function parse(token: string): Fields {
  try {
    const plain: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof plain === 'object' && plain !== null) return plain as Fields;
  } catch {
    // Said below.
  }
  return refuse('is not a resume token');
}

function id(value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) refuse('is damaged');
  return BigInt(value);
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0)) refuse('is damaged');
  return value;
}

function hash(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) refuse('is damaged');
  return fromHex(value);
}

function refuse(what: string): never {
  throw new ArgumentError('resume', `resume ${what}`);
}
