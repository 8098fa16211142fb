// A queue whose ranges are rows of a table, whichever database has it.
import { randomBytes } from 'node:crypto';
import { ArgumentError, StoreError } from '../../../../errors.js';
import { fromHex, toHex } from '../../../../proof/bytes.js';
import { optionsObject, text, whole } from '../../../input/option-checks.js';
import { toRoot } from '../../../input/root-input.js';
import { ATTEMPTS_OF_A_REASON, MAX_RANGES } from '../queue.js';
import type {
  AuditQueue,
  AuditTask,
  HandedIn,
  LeaseOutcome,
  QueueStatus,
  RangeLease,
  TxRange,
} from '../queue.js';
import { readSignedReport } from '../range-report.js';
import type { SignedRangeReport } from '../range-report.js';
import * as sql from './statements.js';
import type { Dialect } from './statements.js';

export type QueueValue = string | bigint | null;
export type QueueRow = Readonly<Record<string, unknown>>;

/** Where the tables are. */
export interface QueueTables extends Dialect {
  /** Rows that one statement gives. What it changes is durable when this resolves. */
  ask(statement: string, values: readonly QueueValue[]): Promise<readonly QueueRow[]>;
  /** Nothing of this audit stays. */
  remove(audit: string): Promise<void>;
  close(): Promise<void>;
}

/** A task with the id of its audit, which nobody else has. */
export interface KnownTask extends AuditTask {
  readonly id: string;
}

/** What the words of a server are cut to. */
const MAX_WHY = 1000;
const MAX_WORKER = 200;

export class TableQueue implements AuditQueue {
  readonly #tables: QueueTables;
  readonly #task: KnownTask;

  protected constructor(tables: QueueTables, task: KnownTask) {
    this.#tables = tables;
    this.#task = task;
  }

  task(): Promise<AuditTask> {
    const { database, under, values, maxFindings } = this.#task;
    return Promise.resolve({ database, under, values, maxFindings });
  }

  async lease(worker: string, leaseMs: number): Promise<LeaseOutcome> {
    const token = randomBytes(16).toString('hex');
    const who = plain(worker, MAX_WORKER);
    const [found] = await this.#ask(sql.LEASE(this.#tables), token, BigInt(leaseMs), who);
    if (found) return { ...rangeIn(found), token };
    const left = await this.#ask(sql.LEFT(this.#tables.now));
    return left.length > 0 ? 'later' : 'over';
  }

  renew({ first, token }: RangeLease, leaseMs: number): Promise<boolean> {
    return this.#changes(sql.RENEW(this.#tables.now), first, token, BigInt(leaseMs));
  }

  async finish({ first, token }: RangeLease, report: SignedRangeReport): Promise<boolean> {
    const handed = JSON.stringify(report);
    if (handed.length > sql.MAX_REPORT)
      throw new ArgumentError('report', 'report is longer than a queue takes', 'LIMIT_EXCEEDED');
    return this.#changes(sql.FINISH, first, token, handed);
  }

  async giveBack({ first, token }: RangeLease, why?: string): Promise<void> {
    const words = why === undefined ? null : plain(why, MAX_WHY);
    const attempts = why === undefined ? -1n : BigInt(ATTEMPTS_OF_A_REASON);
    await this.#ask(sql.GIVE_BACK, first, token, words, attempts);
  }

  async status(): Promise<QueueStatus> {
    const { now } = this.#tables;
    const [counts = {}] = await this.#ask(sql.COUNTS(now));
    const givenUp = (await this.#ask(sql.GIVEN_UP(now))).map((row) => ({
      ...rangeIn(row),
      why: String(row['why']),
    }));
    const [ranges, done, leased] = ['ranges', 'done', 'leased'].map((name) => Number(counts[name])) as [
      number,
      number,
      number,
    ];
    return { ranges, done, leased, givenUp };
  }

  async handedIn(after: bigint): Promise<readonly HandedIn[]> {
    const rows = await this.#ask(sql.HANDED_IN, after);
    return rows.map((row) => {
      const report = typeof row['report'] === 'string' ? row['report'] : null;
      const isDone = row['done'] === true || row['done'] === 1n;
      return { ...rangeIn(row), report: isDone ? report : undefined };
    });
  }

  async refuse({ first, report }: HandedIn, why: string): Promise<void> {
    await this.#ask(sql.REFUSE, first, plain(why, MAX_WHY), report ?? null);
  }

  async reports(): Promise<readonly SignedRangeReport[]> {
    const reports: SignedRangeReport[] = [];
    for (let after = 0n; ;) {
      const page = await this.handedIn(after);
      for (const { report } of page)
        if (report !== undefined) {
          const name = `reports[${reports.length}]`;
          reports.push(readSignedReport(name, parsed(name, report)));
        }
      const last = page.at(-1);
      if (!last) return reports;
      after = last.first;
    }
  }

  remove(): Promise<void> {
    return this.#tables.remove(this.#task.id);
  }

  close(): Promise<void> {
    return this.#tables.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask(statement: string, ...values: QueueValue[]): Promise<readonly QueueRow[]> {
    return this.#tables.ask(statement, [this.#task.id, ...values]);
  }

  async #changes(statement: string, ...args: QueueValue[]): Promise<boolean> {
    return (await this.#ask(statement, ...args)).length > 0;
  }
}

/** A new task, and the statements that put it and its ranges into empty tables. @throws ArgumentError */
export function newTask(given: AuditTask, ranges: readonly TxRange[]) {
  optionsObject('task', given);
  const { database, values, maxFindings } = given;
  text('database', database);
  whole('maxFindings', maxFindings, 0, Number.MAX_SAFE_INTEGER);
  const under = toRoot('under', given.under);
  checkRanges(ranges, under.tx);
  const task: KnownTask = { id: randomBytes(16).toString('hex'), database, under, values, maxFindings };
  function* puts(): Generator<{ readonly text: string; readonly values: readonly QueueValue[] }> {
    const row = [sql.VERSION, task.id, database, under.tx, toHex(under.alh), values ? 1n : 0n];
    yield { text: sql.PUT_TASK, values: [...row, BigInt(maxFindings)] };
    yield* sql.rangePuts(task.id, ranges);
  }
  return { task, puts };
}

/** @throws ArgumentError */
function checkRanges(ranges: readonly TxRange[], lastTx: bigint): void {
  if (!Array.isArray(ranges) || ranges.length === 0)
    throw new ArgumentError('ranges', 'ranges must be an array of one or more');
  if (ranges.length > MAX_RANGES)
    throw new ArgumentError('ranges', `ranges has more than ${MAX_RANGES}`, 'LIMIT_EXCEEDED');
  let next = 1n;
  for (const { first, last } of ranges) {
    const areIds = typeof first === 'bigint' && typeof last === 'bigint';
    if (!areIds || first < next || last < first || last > lastTx)
      throw new ArgumentError('ranges', 'ranges must follow each other, from 1 up to the root');
    next = last + 1n;
  }
}

/** The task in the rows of the statement TASK; undefined when there is none. @throws StoreError STORE_FOREIGN */
export function taskIn([row]: readonly QueueRow[]): KnownTask | undefined {
  if (!row) return undefined;
  const { version, id, database, tx, alh, with_values: values, max_findings: most } = row;
  if (version !== sql.VERSION) throw new StoreError('STORE_FOREIGN', 'the queue is of another release');
  const isTask =
    [id, database].every((each) => typeof each === 'string' && each !== '') &&
    [tx, values, most].every((each) => typeof each === 'bigint' && each >= 0n) &&
    typeof alh === 'string' &&
    /^[0-9a-f]{64}$/.test(alh) &&
    tx !== 0n;
  if (!isTask) throw new StoreError('STORE_FOREIGN', 'the queue holds a task that is none');
  return {
    ...{ id: id as string, database: database as string },
    under: { tx: tx as bigint, alh: fromHex(alh) },
    values: values === 1n,
    maxFindings: Number(most),
  };
}

/** What is said where there is a queue already. */
export function occupied(where: string, { database, under }: AuditTask): StoreError {
  const whose = `of database ${database} up to tx ${String(under.tx)}`;
  return new StoreError('STORE_FOREIGN', `${where} holds the queue of an audit already, ${whose}`);
}

function rangeIn({ first, last }: QueueRow): TxRange {
  if (typeof first === 'bigint' && typeof last === 'bigint') return { first, last };
  throw new StoreError('STORE_FOREIGN', 'the queue holds a range that is none');
}

/** @throws ArgumentError */
function parsed(name: string, report: string | null): unknown {
  try {
    return JSON.parse(report ?? '');
  } catch {
    throw new ArgumentError(name, `${name} is no JSON, or too long`);
  }
}

/** As text that every database takes. */
function plain(words: string, max: number): string {
  return words.replaceAll('\0', '').slice(0, max);
}
