// Walks the whole of the log's chain, for `audit.verify`: in one state of the log, on a connection of its own.
import { ArgumentError, StoreError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { sha256 } from '../../../proof/hash.js';
import type { AuditVerdict, ChainPoint, Checkpoint, VerifyOptions } from '../../audit-log.js';
import { chainStart, evidenceHash, rowHash } from '../../log/audit-row.js';
import { addSums, hourOf, sumsOf } from '../../log/audit-stats.js';
import type { Sums } from '../../log/audit-stats.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { LogState } from '../../log/log-state.js';
import { broken, contradictsAny, startDiffers, stateDiffers } from '../../log/verify-rules.js';
import type { Broken } from '../../log/verify-rules.js';
import type { Link, Row } from '../link/link.js';
import { heldState, toCheckpoint } from '../read/held.js';
import { ROW_COLUMNS, ROW_NAMES, bigint, bytes, toEvidence, toRow } from '../read/rows.js';
import type { PlainRow } from '../read/rows.js';
import { filled, strayBounds, sumsDiffer } from './kept-sums.js';

const PAGE_ROWS = 1024;

interface Store extends ChainPoint {
  readonly storeId: Uint8Array;
  readonly base: ChainPoint & { readonly checkpoint: Uint8Array | null };
}

/** Requires a transaction that sees one state. `known`: the newest row that this process knows of. */
export async function verifyChain(
  link: Link,
  options: VerifyOptions,
  known: ChainPoint,
): Promise<AuditVerdict> {
  const walk = new ChainWalk(link, options, known, await storeOf(link));
  return walk.run();
}

async function storeOf(link: Link): Promise<Store> {
  const [row = {}] = await link.query('SELECT * FROM store');
  const checkpoint = row['base_checkpoint'];
  return {
    storeId: bytes(row['id']),
    seq: bigint(row['rows']),
    hash: bytes(row['hash']),
    base: {
      seq: bigint(row['base_seq']),
      hash: bytes(row['base_hash']),
      checkpoint: checkpoint === null ? null : bytes(checkpoint),
    },
  };
}

class ChainWalk {
  readonly #link: Link;
  readonly #options: VerifyOptions;
  readonly #known: ChainPoint;
  readonly #store: Store;
  #state = new LogState();
  #hash: Uint8Array;
  #next: bigint;
  /** Of the rows that sums are kept of. */
  readonly #sums = new Map<string, Sums>();
  #checkpoints = 0;
  #baseIsSaid: boolean;
  /** Blobs of evidence that are what their hash says. */
  readonly #hashed = new Set<unknown>();

  constructor(link: Link, options: VerifyOptions, known: ChainPoint, store: Store) {
    this.#link = link;
    this.#options = options;
    this.#known = known;
    this.#store = store;
    this.#hash = store.base.hash;
    this.#next = store.base.seq + 1n;
    this.#baseIsSaid = store.base.seq === 0n;
  }

  async run(): Promise<AuditVerdict> {
    const wrong = this.#start() ?? (await this.#held(this.#store.base.seq));
    if (wrong) return wrong;
    for (;;) {
      const page = await this.#link.query(PAGE, [this.#next, PAGE_ROWS], 'immu_walk');
      if (page.length === 0) return this.#finish();
      const broke = await this.#page(page);
      if (broke) return broke;
    }
  }

  async #page(page: readonly Row[]): Promise<Broken | undefined> {
    const first = this.#next;
    const due = await this.#link.query('SELECT DISTINCT seq FROM checkpoint WHERE seq BETWEEN $1 AND $2', [
      ...[first, first + BigInt(PAGE_ROWS)],
    ]);
    const held = new Set(due.map(({ seq }) => seq));
    for (const record of page) {
      const wrong = await this.#row(record);
      if (wrong) return wrong;
      const seq = this.#next - 1n;
      if (!held.has(seq) && this.#options.checkpoint?.seq !== seq) continue;
      const contradicted = await this.#held(seq);
      if (contradicted) return contradicted;
    }
    return strayBounds(this.#link, first, this.#next - 1n, this.#store.seq);
  }

  #start(): Broken | undefined {
    const { base, storeId } = this.#store;
    const { checkpoint, startsAfter } = this.#options;
    const elsewhere = startDiffers(base, startsAfter);
    if (elsewhere) return elsewhere;
    if (checkpoint && !equalBytes(checkpoint.storeId, storeId))
      return broken(checkpoint.seq, 'the checkpoint is of another store');
    if (checkpoint && checkpoint.seq < base.seq) {
      const words = `row ${checkpoint.seq.toString()} is in an archive: hold the checkpoint against that`;
      throw new ArgumentError('checkpoint', words);
    }
    if (base.seq === 0n && !base.checkpoint) {
      if (equalBytes(base.hash, chainStart(storeId))) return undefined;
      return broken(1n, 'the log does not start as a store of its id does');
    }
    try {
      const made = parseCheckpoint(base.checkpoint ?? new Uint8Array(0));
      if (made.seq === base.seq && equalBytes(made.hash, base.hash) && equalBytes(made.storeId, storeId)) {
        this.#state = new LogState(made);
        return undefined;
      }
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
    }
    return broken(base.seq + 1n, 'what is kept of the rows before this one was changed');
  }

  /** Checks a row by itself and by the row before it; undefined: it is as it was written. */
  async #row(record: Row): Promise<Broken | undefined> {
    const seq = bigint(record['seq']);
    if (seq !== this.#next) return broken(this.#next, `the row is missing: row ${seq.toString()} follows`);
    let plain: PlainRow;
    try {
      plain = toRow(record);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return broken(seq, 'the row was changed: it holds what is never written');
    }
    const { row, evidenceHash: covered } = plain;
    const hash = rowHash(this.#hash, seq, row, covered ?? undefined);
    if (!equalBytes(hash, row.hash)) {
      const words = `its hash is ${toHex(row.hash)}, its content gives ${toHex(hash)}`;
      return broken(seq, `the row was changed: ${words}`);
    }
    if (seq === this.#known.seq && !equalBytes(hash, this.#known.hash))
      return broken(seq, 'the row is not the one that this process wrote');
    this.#hash = hash;
    this.#next += 1n;
    const wrong = covered && (await this.#evidenceOf(seq, covered));
    if (wrong) return broken(seq, wrong);
    this.#state.apply(row);
    if (seq <= filled(this.#store.seq)) {
      const name = `${String(record['kind'])} ${hourOf(row.verifiedAt)}`;
      const before = this.#sums.get(name);
      this.#sums.set(name, before ? addSums(before, sumsOf(row)) : sumsOf(row));
    }
    const { base } = this.#store;
    if (row.outcome !== 'archive' || row.tx !== base.seq) return undefined;
    this.#baseIsSaid = equalBytes(row.alh, sha256(base.checkpoint ?? new Uint8Array(0)));
    return this.#baseIsSaid ? undefined : broken(seq, 'the log does not begin where this row says');
  }

  /** Bytes that several rows are about are hashed once. */
  async #evidenceOf(seq: bigint, covered: Uint8Array): Promise<string | undefined> {
    const [found] = await this.#link.query(EVIDENCE, [seq], 'immu_evidence');
    if (!found || (found['blob'] !== null && found['there'] === null))
      return 'the evidence of the row is missing';
    const { blob, sha256: name, bytes: held } = found;
    const changed = 'the evidence of the row was changed';
    let evidence: ReturnType<typeof toEvidence>;
    try {
      evidence = toEvidence(found);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return changed;
    }
    if (!evidence) return 'the evidence of the row is missing';
    if (blob !== null && !this.#hashed.has(blob)) {
      if (!equalBytes(sha256(bytes(held)), bytes(name))) return changed;
      this.#hashed.add(blob);
    }
    const jobHash = blob === null ? undefined : bytes(name);
    return equalBytes(evidenceHash(evidence, jobHash), covered) ? undefined : changed;
  }

  /** Holds the checkpoints of a row against it. */
  async #held(seq: bigint): Promise<Broken | undefined> {
    const due: Checkpoint[] = [];
    try {
      const kept = await this.#link.query('SELECT * FROM checkpoint WHERE seq = $1 ORDER BY id', [seq]);
      for (const record of kept) due.push(toCheckpoint(record));
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return broken(seq, 'a checkpoint kept of this row was changed');
    }
    this.#checkpoints += due.length;
    const { checkpoint } = this.#options;
    if (checkpoint?.seq === seq) due.push(checkpoint);
    return contradictsAny(due, seq, this.#store.storeId, this.#hash, () => this.#state.snapshot());
  }

  async #finish(): Promise<AuditVerdict> {
    const { base, seq: written, hash } = this.#store;
    const last = this.#next - 1n;
    if (written !== last)
      return broken(last + 1n, `the newest rows are missing: ${written.toString()} were written`);
    if (!equalBytes(hash, this.#hash)) return broken(last, 'the hash kept of the newest row is another');
    if (this.#known.seq > last) {
      const words = `this process wrote row ${this.#known.seq.toString()}`;
      return broken(last + 1n, `the newest rows are missing: ${words}`);
    }
    const { checkpoint } = this.#options;
    const [kept] = await this.#link.query('SELECT seq FROM checkpoint WHERE seq > $1 LIMIT 1', [last]);
    const beyond = checkpoint && checkpoint.seq > last ? checkpoint.seq : kept && bigint(kept['seq']);
    if (beyond !== undefined) {
      const words = `there is a checkpoint of row ${beyond.toString()}`;
      return broken(last + 1n, `the newest rows are missing: ${words}`);
    }
    if (!this.#baseIsSaid)
      return broken(base.seq + 1n, 'no row says that the rows before this one were archived');
    const strayed = await this.#strayEvidence(last);
    if (strayed) return strayed;
    const words = stateDiffers(await heldState(this.#link), this.#state.snapshot());
    if (words !== undefined) return broken(last, words);
    const sums = await sumsDiffer(this.#link, this.#sums, written);
    if (sums !== undefined) return broken(last, sums);
    return {
      ok: true,
      rows: last - base.seq,
      lastHash: this.#hash,
      startsAfter: { seq: base.seq, hash: base.hash },
      checkpoints: this.#checkpoints,
    };
  }

  async #strayEvidence(last: bigint): Promise<Broken | undefined> {
    const [row] = await this.#link.query(
      `SELECT e.seq FROM evidence e LEFT JOIN audit a ON a.seq = e.seq WHERE a.evidence_hash IS NULL LIMIT 1`,
    );
    if (row) return broken(bigint(row['seq']), 'there is evidence that the row does not name');
    const [blob] = await this.#link.query(
      `SELECT b.id FROM evidence_blob b WHERE NOT EXISTS (SELECT 1 FROM evidence e WHERE e.blob = b.id) LIMIT 1`,
    );
    return blob ? broken(last, 'bytes are kept as evidence that no row is about') : undefined;
  }
}

const PAGE = `SELECT ${ROW_COLUMNS}, a.kind FROM (SELECT * FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2) a ${ROW_NAMES} ORDER BY a.seq`;
const EVIDENCE = `SELECT e.*, b.sha256, b.bytes, b.id AS there FROM evidence e LEFT JOIN evidence_blob b ON b.id = e.blob WHERE e.seq = $1`;
