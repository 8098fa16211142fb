// `immu-ts audit verify`: whether the log is what was logged.
import { readFile } from 'node:fs/promises';
import { checkpointHash, openArchive, verifyCheckpoint, verifyKeptHeaders } from '../../audit.js';
import type { AuditVerdict, Checkpoint } from '../../index.js';
import type { ChainPoint, KeptHeadersVerdict } from '../../audit.js';

import { UsageError, command } from '../command.js';
import { HOLDS, REFUTED } from '../exit-code.js';
import { hex, isoTime } from '../format/row-columns.js';
import { Told } from '../format/told.js';
import { visible } from '../../visible.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';
import { parseCheckpointFile } from './checkpoint-file.js';

export const verifyCommand = command({
  name: 'audit verify',
  summary:
    'Recomputes the hash chain, holds heads, identities, checkpoints against it; proves kept headers. Exit code 3: broken.',
  options: {
    ...LOG_OPTIONS,
    checkpoint: {
      type: 'string',
      value: 'FILE',
      says: 'also against this checkpoint: finds a log that was rewritten',
    },
    key: { type: 'string', value: 'PEM', says: 'public key file that must have signed the checkpoint' },
    follows: {
      type: 'string',
      value: 'ARCHIVE',
      says: 'the archive that the log must go on from, verified too',
    },
    json: { type: 'boolean', says: 'JSON on one line' },
  },
  async run(options, _operand, io) {
    if (options.key !== undefined && options.checkpoint === undefined) {
      throw new UsageError('--key goes with --checkpoint');
    }
    const told = new Told(options.json, io);
    const checkpoint = options.checkpoint === undefined ? null : await readCheckpoint(options.checkpoint);
    if (checkpoint && !(await isSigned(checkpoint, options.key, told))) return told.end(REFUTED);
    await using log = await openLog(options, io);
    const startsAfter = options.follows === undefined ? null : await endOf(options.follows, told);
    if (startsAfter === 'broken') return await told.end(REFUTED);
    const held = { ...(checkpoint && { checkpoint }), ...(startsAfter && { startsAfter }) };
    const verdict = await log.audit.verify(held);
    await told.add({ chain: fieldsOf(verdict) }, wordsOf(verdict));
    if (verdict.ok && checkpoint)
      await told.add({}, `rows 1 to ${checkpoint.seq.toString()} are those of the checkpoint\n`);
    const kept = await verifyKeptHeaders(log);
    const holds = verdict.ok && kept.ok;
    await told.add({ keptHeaders: kept, holds }, keptWords(kept));
    return await told.end(holds ? HOLDS : REFUTED);
  },
});

/** Where the log behind an archive has to begin. */
async function endOf(path: string, told: Told): Promise<ChainPoint | 'broken'> {
  await using archive = await openArchive(path);
  const verdict = await archive.audit.verify();
  const fields = { archive: { path, ...fieldsOf(verdict) }, ...(!verdict.ok && { holds: false }) };
  await told.add(fields, `archive ${visible(path)}\n${wordsOf(verdict)}`);
  return verdict.ok ? { seq: archive.lastSeq, hash: archive.lastHash } : 'broken';
}

async function readCheckpoint(path: string): Promise<Checkpoint> {
  return parseCheckpointFile(await readFile(path, 'utf8'), path);
}

async function isSigned(checkpoint: Checkpoint, keyFile: string | undefined, told: Told): Promise<boolean> {
  const sha256 = hex(checkpointHash(checkpoint));
  const name = `checkpoint of ${isoTime(checkpoint.time)}, SHA-256 ${sha256}`;
  const fields = { seq: checkpoint.seq, time: isoTime(checkpoint.time), sha256 };
  if (keyFile === undefined) {
    const words = `${name}: signature not checked, no --key was given\n`;
    await told.add({ checkpoint: { ...fields, signed: 'not checked' } }, words);
    return true;
  }
  const verdict = verifyCheckpoint(checkpoint, await readFile(keyFile, 'utf8'));
  const finding = verdict.ok ? undefined : verdict.finding;
  await told.add(
    { checkpoint: { ...fields, signed: verdict.ok, finding }, ...(!verdict.ok && { holds: false }) },
    `${name}: ${finding === undefined ? 'signed by this key' : `REFUSED: ${visible(finding)}`}\n`,
  );
  return verdict.ok;
}

/** Hashes as hex. */
function fieldsOf(verdict: AuditVerdict): Readonly<Record<string, unknown>> {
  if (!verdict.ok) return { ...verdict };
  const { lastHash, startsAfter } = verdict;
  return {
    ...verdict,
    lastHash: hex(lastHash),
    startsAfter: { seq: startsAfter.seq, hash: hex(startsAfter.hash) },
  };
}

function wordsOf(verdict: AuditVerdict): string {
  if (!verdict.ok)
    return `audit chain: BROKEN at row ${verdict.seq.toString()}: ${visible(verdict.finding)}\n`;
  const { rows, lastHash, startsAfter, checkpoints } = verdict;
  const start = startsAfter.seq === 0n ? '' : `, behind archived row ${startsAfter.seq.toString()}`;
  const kept = checkpoints === 0 ? '' : `, ${checkpoints} kept checkpoints hold`;
  return `audit chain: ${rows.toString()} rows, intact${start}${kept}\nlast hash: ${hex(lastHash)}\n`;
}

function keptWords(verdict: KeptHeadersVerdict): string {
  if (!verdict.ok) {
    const { database, first, last, finding } = verdict;
    const range = `tx ${first.toString()} to ${last.toString()}`;
    return `kept headers: ${range} of ${visible(database)} are NOT PROVEN: ${visible(finding)}\n`;
  }
  const { blocks, underArchived } = verdict;
  const rest = underArchived === 0 ? '' : `, ${underArchived} of them by roots that the log no longer has`;
  return blocks === 0 ? '' : `kept headers: ${blocks} ${blocks === 1 ? 'block' : 'blocks'}, proven${rest}\n`;
}
