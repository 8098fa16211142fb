// Where evidence comes from: a row of the store, or a file.
import type { AuditRow } from '../../index.js';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { idOf } from '../query-options.js';
import { hashBefore, openLog } from '../store-option.js';
import type { LogWords, OpenLog } from '../store-option.js';
import { textOfFile } from '../text-file.js';
import { MAX_FILE_BYTES, hasEvidence, parseRowFile } from './evidence-file.js';
import type { EvidenceFile, RowFile } from './evidence-file.js';

/** Whether this names a row of the store; anything else is the path of a file (`./12` for one that is named like a number). */
export function isRow(operand: string): boolean {
  return /^\d+$/.test(operand);
}

/** Throws when there is no evidence there. */
export async function evidenceFrom(
  operand: string | undefined,
  words: LogWords,
  nothing: string,
  io: Pick<Io, 'err'>,
): Promise<EvidenceFile> {
  return asEvidence(await rowFrom(operand, words, nothing, io));
}

/** The same, also for a root with the server's signature. */
export async function rowFrom(
  operand: string | undefined,
  words: LogWords,
  nothing: string,
  io: Pick<Io, 'err'>,
): Promise<RowFile> {
  if (operand === undefined) throw new UsageError(nothing);
  if (!isRow(operand)) {
    if (words.store !== undefined || words.archive !== undefined || words.damaged) {
      throw new UsageError(
        `--store, --archive and --damaged go with a row, ${JSON.stringify(operand)} is a file`,
      );
    }
    return rowIn(operand);
  }
  await using log = await openLog(words, io);
  return await rowOf(log, idOf('SEQ', operand));
}

/** Throws when it is a signed root. */
export function asEvidence(file: RowFile): EvidenceFile {
  if (hasEvidence(file)) return file;
  throw new Error(`row ${file.row.seq.toString()} (${file.row.outcome}) has no evidence`);
}

/** Throws when there is no such row, or the row has no evidence. */
export async function evidenceOf(
  log: Pick<OpenLog, 'audit' | 'startsAfter'>,
  seq: bigint,
): Promise<EvidenceFile> {
  return asEvidence(await rowOf(log, seq));
}

async function rowOf(log: Pick<OpenLog, 'audit' | 'startsAfter'>, seq: bigint): Promise<RowFile> {
  const row = await log.audit.row(seq);
  if (!row) throw new Error(`the log has no row ${seq.toString()}`);
  const { evidence } = row;
  if (!evidence && !row.signature) throw new Error(`row ${seq.toString()} (${row.outcome}) has no evidence`);
  const isOfRows = evidence?.job.length === 0 && !evidence.omitted;
  const contradicted = isOfRows ? await contradictedBy(log, row) : null;
  return {
    ...{ row, previousHash: await hashBefore(log, seq) },
    ...(contradicted && { contradicted }),
  };
}

/** The row that has the other hash; null when it has been archived. */
async function contradictedBy(log: Pick<OpenLog, 'audit' | 'startsAfter'>, row: AuditRow) {
  const { server, database, tx, alh } = row;
  const conflict = await log.audit.conflict({ server, database, tx, alh });
  const other = conflict && (await log.audit.row(conflict.seq));
  return other && { row: other, previousHash: await hashBefore(log, other.seq) };
}

async function rowIn(path: string): Promise<RowFile> {
  const file = parseRowFile(await textOfFile(path, MAX_FILE_BYTES, 'an evidence file'), path);
  if (!file.row.evidence && !file.row.signature)
    throw new Error(`${path} is not an evidence file: "check" must be text`);
  return file;
}
