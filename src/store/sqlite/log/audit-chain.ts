// Walks the whole of the log's chain, for `audit.verify`.
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { sha256 } from '../../../proof/hash.js';
import { ArgumentError } from '../../../errors.js';
import type { AuditVerdict, Checkpoint, VerifyOptions } from '../../audit-log.js';
import { coversEvidence, evidenceHash, rowHash } from '../../log/audit-row.js';
import { addSums, hourOf, sumsOf } from '../../log/audit-stats.js';
import type { Sums } from '../../log/audit-stats.js';
import type { AuditRow } from '../../audit-types.js';
import { LogState } from '../../log/log-state.js';
import { broken, contradictsAny, startDiffers, stateDiffers } from '../../log/verify-rules.js';
import { toEvidence } from '../tables/evidence-table.js';
import { TWICE, stateOf } from './tail-check.js';
import { toSums } from '../tables/hours.js';
import type { Base, OpenLog } from './open-log.js';
import type { RowRecord } from './row-record.js';
import { plainRow, recordsFrom } from './rows.js';

const EVIDENCE_CHANGED = 'the evidence of the row was changed';

export interface WalkOptions extends Omit<VerifyOptions, 'onProgress'> {
  /** Where it says how many rows it has looked at. */
  readonly rows?: BigInt64Array | undefined;
  /** An archive is a part of a log: the row about its beginning may be in the next part. */
  readonly isArchive: boolean;
  /** Heads and identities are not there yet: an archive that is being made. */
  readonly isDraft?: boolean;
}

/**
 * A walk along the whole chain in steps of one page. Each step must run in a transaction of its own: what it sees is then
 * one state, and rows that are added between steps do no harm.
 */
export class ChainWalk {
  readonly #log: OpenLog;
  readonly #options: WalkOptions;
  #base: Base | undefined;
  #state = new LogState();
  #next = 1n;
  #hash = new Uint8Array(0);
  #sums = new Map<string, Sums>();
  #baseIsSaid = false;
  #checkpoints = 0;
  /** Blobs of evidence that are what their hash says. */
  readonly #hashed = new Set<bigint>();

  constructor(log: OpenLog, options: WalkOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** What the rows add up to; complete when the verdict is there. */
  get state(): LogState {
    return this.#state;
  }

  /** Checks the next page; undefined when there may be more. */
  step(): AuditVerdict | undefined {
    const log = this.#log;
    log.begin();
    // Names may be changed by hand between steps.
    log.clients.forget();
    const base = log.base();
    // Rows were archived meanwhile: from the new beginning on.
    if (this.#base?.seq !== base.seq) {
      const wrong = this.#start(base);
      if (wrong) return wrong;
    }
    const page = recordsFrom(log, this.#next, log.range().high);
    const first = this.#next;
    const due = new Set(log.keptCheckpoints.seqs(first, page.at(-1)?.seq ?? first));
    const { checkpoint } = this.#options;
    if (checkpoint) due.add(checkpoint.seq);
    for (const record of page) {
      if (record.seq < this.#next) return broken(record.seq, TWICE);
      if (record.seq !== this.#next) {
        return broken(this.#next, `the row is missing: row ${record.seq.toString()} follows`);
      }
      const verdict = this.#check(record);
      if (verdict) return verdict;
      this.#next += 1n;
      const wrong = due.has(record.seq) ? this.#held(record.seq) : undefined;
      if (wrong) return wrong;
    }
    const { rows } = this.#options;
    if (rows) Atomics.store(rows, 0, this.#next - 1n - base.seq);
    if (page.length === 0) return this.#finish();
    const stray = log.zones.strayRow({ low: first, high: this.#next - 1n }, log.range().zoned);
    return stray === null ? undefined : broken(stray, 'the bounds kept for queries do not cover the row');
  }

  #start(base: Base): AuditVerdict | undefined {
    this.#base = base;
    this.#next = base.seq + 1n;
    this.#hash = new Uint8Array(base.hash);
    this.#sums = new Map();
    this.#baseIsSaid = base.seq === 0n;
    this.#checkpoints = 0;
    const { checkpoint, startsAfter } = this.#options;
    const elsewhere = startDiffers(base, startsAfter);
    if (elsewhere) return elsewhere;
    if (checkpoint && !equalBytes(checkpoint.storeId, this.#log.storeId)) {
      return broken(checkpoint.seq, 'the checkpoint is of another store');
    }
    if (checkpoint && checkpoint.seq < base.seq) {
      const words = `row ${checkpoint.seq.toString()} is in an archive: hold the checkpoint against that`;
      throw new ArgumentError('checkpoint', words);
    }
    const state = stateOf(this.#log, base);
    if (!(state instanceof LogState)) return state;
    this.#state = state;
    return this.#held(base.seq);
  }

  /** Checks a row by itself and by the row before it; undefined: it is as it was written. */
  #check(record: RowRecord): AuditVerdict | undefined {
    const { seq, evidence_hash: covered } = record;
    let row: AuditRow;
    try {
      row = plainRow(this.#log, record);
    } catch {
      return broken(seq, 'the row was changed: it holds what is never written');
    }
    const hash = rowHash(this.#hash, seq, row, covered ?? undefined);
    if (!equalBytes(hash, row.hash)) {
      return broken(
        seq,
        `the row was changed: its hash is ${toHex(row.hash)}, its content gives ${toHex(hash)}`,
      );
    }
    this.#hash = new Uint8Array(hash);
    if (covered) {
      const wrong = this.#evidenceOf(seq, covered);
      if (wrong !== undefined) return broken(seq, wrong);
    }
    this.#state.apply(row);
    const name = `${record.kind.toString()} ${hourOf(row.verifiedAt)}`;
    const sums = sumsOf(row);
    const before = this.#sums.get(name);
    this.#sums.set(name, before ? addSums(before, sums) : sums);
    if (row.outcome !== 'archive' || row.tx !== this.#base?.seq) return undefined;
    this.#baseIsSaid = equalBytes(row.alh, sha256(this.#base.checkpoint ?? new Uint8Array(0)));
    return this.#baseIsSaid ? undefined : broken(seq, 'the log does not begin where this row says');
  }

  /** Bytes that several rows are about are hashed once. */
  #evidenceOf(seq: bigint, covered: Uint8Array): string | undefined {
    const { evidenceTable } = this.#log;
    const record = evidenceTable.record(seq);
    if (!record) return 'the evidence of the row is missing';
    const { blob } = record;
    if (blob === null) {
      const evidence = toEvidence(record, record.job);
      return coversEvidence(covered, evidence) ? undefined : EVIDENCE_CHANGED;
    }
    const name = evidenceTable.hashOf(blob);
    const bytes = this.#hashed.has(blob) ? undefined : evidenceTable.bytes(blob);
    if (!name || bytes === null) return 'the evidence of the row is missing';
    // One place for the bytes: what stands in the other is nothing that was written.
    if (record.job.length > 0 || (bytes && !equalBytes(sha256(bytes), name))) return EVIDENCE_CHANGED;
    this.#hashed.add(blob);
    const given = evidenceHash(toEvidence(record, new Uint8Array(0)), name);
    return equalBytes(given, covered) ? undefined : EVIDENCE_CHANGED;
  }

  /** Holds the checkpoints of a row against it. */
  #held(seq: bigint): AuditVerdict | undefined {
    const due: Checkpoint[] = [];
    try {
      for (const checkpoint of this.#log.keptCheckpoints.at(seq)) due.push(checkpoint);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return broken(seq, 'a checkpoint kept of this row was changed');
    }
    this.#checkpoints += due.length;
    const { checkpoint } = this.#options;
    if (checkpoint?.seq === seq) due.push(checkpoint);
    return contradictsAny(due, seq, this.#log.storeId, this.#hash, () => this.#state.snapshot());
  }

  #finish(): AuditVerdict {
    const log = this.#log;
    const last = this.#next - 1n;
    const base = this.#base ?? log.base();
    const written = log.rowsWritten();
    if (written !== last) {
      return broken(last + 1n, `the newest rows are missing: ${written.toString()} were written`);
    }
    const { checkpoint, isArchive } = this.#options;
    const beyond = checkpoint && checkpoint.seq > last ? checkpoint.seq : log.keptCheckpoints.beyond(last);
    if (beyond !== null)
      return broken(
        last + 1n,
        `the newest rows are missing: there is a checkpoint of row ${beyond.toString()}`,
      );
    if (!this.#baseIsSaid && !isArchive)
      return broken(base.seq + 1n, 'no row says that the rows before this one were archived');
    const stray = log.evidenceTable.strayRow();
    if (stray !== null) return broken(stray, 'there is evidence that the row does not name');
    if (log.evidenceTable.strayBlob() !== null)
      return broken(last, 'bytes are kept as evidence that no row is about');
    const words = this.#options.isDraft ? undefined : stateDiffers(log.held.all(), this.#state.snapshot());
    if (words !== undefined) return broken(last, words);
    if (!this.#sumsAreRight()) return broken(last, 'the statistics are not what the rows give');
    if (!log.zones.areNested(log.range().zoned))
      return broken(last, 'the bounds kept for queries do not hold each other');
    return {
      ok: true,
      rows: last - base.seq,
      lastHash: new Uint8Array(this.#hash),
      startsAfter: { seq: base.seq, hash: new Uint8Array(base.hash) },
      checkpoints: this.#checkpoints,
    };
  }

  #sumsAreRight(): boolean {
    let held = 0;
    for (const record of this.#log.hours.all(this.#log.tables)) {
      const given = this.#sums.get(`${record.kind.toString()} ${record.hour.toString()}`);
      const kept = toSums(record);
      if (!given || Object.keys(kept).some((key) => kept[key as keyof Sums] !== given[key as keyof Sums])) {
        return false;
      }
      held += 1;
    }
    return held === this.#sums.size;
  }
}
