// The checkpoint in a report: it commits to every row that the report rests on, and is signed with the report's key.
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkpointHash, verifyCheckpoint } from '../../audit.js';
import type { Checkpoint } from '../../index.js';
import { formatCheckpointFile, parseCheckpointFile } from '../audit/checkpoint-file.js';
import { hex, isoTime } from '../format/row-columns.js';
import type { Looked } from './log-sections.js';
import { look, seen } from './look.js';
import { commandLine } from './report.js';
import type { Section } from './report.js';

export interface Checkpointed {
  readonly section: Section;
  /** As its file has it; null: none could be made. */
  readonly made: unknown;
}

/** @param earlier file of a checkpoint that was kept elsewhere; @param earlierKey the public key that signed it */
export async function checkpointSection(
  { log, where, signal }: Looked,
  key: KeyObject,
  earlier: string | undefined,
  earlierKey: string | KeyObject,
): Promise<Checkpointed> {
  let made: unknown = null;
  const with_ = earlier === undefined ? [] : ['--checkpoint', earlier];
  const named = {
    ...{ name: 'checkpoint', title: 'Was the log rewritten?' },
    commands: [
      commandLine(['audit', 'verify', ...with_, ...where]),
      commandLine(['audit', 'checkpoint', ...where]),
    ],
  };
  const section = await look(named, signal, async () => {
    const held = earlier === undefined ? undefined : await heldAgainst(log.audit, earlier, earlierKey);
    const checkpoint = await log.audit.checkpoint({ key });
    made = JSON.parse(formatCheckpointFile(checkpoint));
    const counts = {
      ...{ seq: checkpoint.seq.toString(), sha256: hex(checkpointHash(checkpoint)) },
      ...(held && { earlierSeq: held.checkpoint.seq.toString(), earlierTime: isoTime(held.checkpoint.time) }),
    };
    if (held?.finding !== undefined) return { ...seen('refuted', held.finding, counts) };
    const summary = held
      ? `rows 1 to ${held.checkpoint.seq.toString()} are those of the checkpoint of ${isoTime(held.checkpoint.time)}; this report commits to row ${checkpoint.seq.toString()}`
      : `this report commits to every row up to ${checkpoint.seq.toString()}; no earlier checkpoint was given (--checkpoint), so that a log which was rewritten whole is not found`;
    return seen(held ? 'holds' : 'told', summary, counts);
  });
  return { section, made };
}

async function heldAgainst(
  audit: Looked['log']['audit'],
  path: string,
  key: string | KeyObject,
): Promise<{ readonly checkpoint: Checkpoint; readonly finding?: string }> {
  const checkpoint = parseCheckpointFile(await readFile(path, 'utf8'), path);
  const signed = verifyCheckpoint(checkpoint, key);
  if (!signed.ok)
    return { checkpoint, finding: `the earlier checkpoint is not signed by its key: ${signed.finding}` };
  const verdict = await audit.verify({ checkpoint });
  if (verdict.ok) return { checkpoint };
  return {
    checkpoint,
    finding: `the log is not that of the checkpoint: row ${verdict.seq.toString()}: ${verdict.finding}`,
  };
}
