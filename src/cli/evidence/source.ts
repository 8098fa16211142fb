// Where evidence comes from: a row of the store, or a file.
import { readFile, stat } from 'node:fs/promises';
import type { AuditRow } from '../../index.js';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { idOf } from '../query-options.js';
import { hashBefore, openLog } from '../store-option.js';
import type { LogWords, OpenLog } from '../store-option.js';
import { MAX_FILE_BYTES, parseEvidenceFile } from './evidence-file.js';
import type { EvidenceFile } from './evidence-file.js';

/** A number is a row of the store; anything else is the path of a file (`./12` for one that is named like a number). */
export async function evidenceFrom(
  operand: string | undefined,
  words: LogWords,
  nothing: string,
  io: Pick<Io, 'err'>,
): Promise<EvidenceFile> {
  if (operand === undefined) throw new UsageError(nothing);
  if (!/^\d+$/.test(operand)) {
    if (words.store !== undefined || words.archive !== undefined || words.damaged) {
      throw new UsageError(
        `--store, --archive and --damaged go with a row, ${JSON.stringify(operand)} is a file`,
      );
    }
    return evidenceIn(operand);
  }
  await using log = await openLog(words, io);
  return await evidenceOf(log, idOf('SEQ', operand));
}

/** Throws when there is no such row, or the row has no evidence. */
export async function evidenceOf(
  log: Pick<OpenLog, 'audit' | 'startsAfter'>,
  seq: bigint,
): Promise<EvidenceFile> {
  const row = await log.audit.row(seq);
  if (!row) throw new Error(`the log has no row ${seq.toString()}`);
  const { evidence } = row;
  if (!evidence) throw new Error(`row ${seq.toString()} (${row.outcome}) has no evidence`);
  const contradicted = evidence.job.length === 0 ? await contradictedBy(log, row) : null;
  return {
    ...{ row: { ...row, evidence }, previousHash: await hashBefore(log, seq) },
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

async function evidenceIn(path: string): Promise<EvidenceFile> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) throw new Error(`${path} is too long for an evidence file: ${size} bytes`);
  return parseEvidenceFile(await readFile(path, 'utf8'), path);
}
