// Checkpoints that a store takes by itself, in the commit of the rows that make them due: they cost no flush of their own.
import type { KeyObject } from 'node:crypto';
import type { Checkpoint } from '../../audit-log.js';
import { signCheckpoint } from '../../log/checkpoint.js';
import type { LogWriter } from './log-writer.js';
import type { CheckpointSchedule } from '../thread/messages.js';

export class AutoCheckpoint {
  readonly #schedule: CheckpointSchedule;

  constructor(schedule: CheckpointSchedule) {
    this.#schedule = schedule;
  }

  /** Requires the writer's transaction. By time, the first row makes the first one due. */
  takeIfDue(writer: LogWriter): void {
    const { everyRows, everyMs, key } = this.#schedule;
    const { seq } = writer.tail();
    const last = writer.newestCheckpoint();
    if (last?.seq === seq) return;
    const rows = everyRows !== undefined && seq - (last?.seq ?? 0n) >= BigInt(everyRows);
    // A clock that went back must not put checkpoints off.
    const passed = last ? Math.abs(Date.now() - last.time) : Infinity;
    if (rows || (everyMs !== undefined && passed >= everyMs)) takeCheckpoint(writer, key);
  }
}

/** Commits to the log as it stands, and keeps that. */
export function takeCheckpoint(writer: LogWriter, key: KeyObject | undefined): Checkpoint {
  const plain = writer.checkpoint();
  const made = key ? signCheckpoint(plain, key) : plain;
  writer.keepCheckpoint(made);
  return made;
}
