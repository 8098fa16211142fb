// A batch as the function `append` takes it, and its answer as one line of text:
//
//   <seq of the newest row> , <its hash, hex> : ( a | l [ <tx of the head> , <alh, hex> ] ; )*
//
// `a`: the row was appended; `l`: the head is not what was expected. Fewer of them than rows: the next has to be decided.
import { StoreError } from '../../../errors.js';
import { fromHex } from '../../../proof/bytes.js';
import type { ChainPoint } from '../../audit-log.js';
import type { StoredRoot } from '../../audit-types.js';
import { rowContent } from '../../log/audit-row.js';
import { MOVED, NOTHING_FOUND } from '../../log/decide.js';
import { OUTCOME_CODES } from '../../log/outcome-codes.js';
import type { RowRequest } from '../../log/requests.js';
import type { Value } from '../link/link.js';
import { byteaArray, numbersOf } from '../link/arrays.js';
import type { Numeric } from '../link/arrays.js';
import { asBytes } from '../link/values.js';
import { APPENDED, HEAD_VALUES } from '../sql/columns.js';
import { foldHeads } from './fold-heads.js';
import type { HandedRow } from './handed-row.js';
import type { Named } from './names.js';

export const APPEND_SQL = `SELECT append(${Array.from({ length: APPENDED.length + HEAD_VALUES }, (_, i) => `$${i + 1}`).join(', ')}) AS outcome`;

/** Who writes, and what it knows. */
export interface BatchHead {
  readonly writer: Uint8Array;
  readonly batch: bigint;
  readonly known: ChainPoint;
  /** Its commit waits until it is durable, with the log held. Else a flush has to follow. */
  readonly flushes?: boolean;
}

export function batchValues(
  { writer, batch, known, flushes = false }: BatchHead,
  rows: readonly HandedRow[],
  { kinds, clients }: Named,
): Value[] {
  const numbers = (type: Numeric, of: (row: HandedRow) => bigint | number | null) =>
    numbersOf(type, rows.map(of));
  const bytes = (of: (row: HandedRow, i: number) => Uint8Array | null) => byteaArray(rows.map(of));
  // No row has it, as a rule: no array stands for as many nulls.
  const seldom = (of: (row: HandedRow, i: number) => Uint8Array | null) => {
    const all = rows.map(of);
    return all.every((each) => each === null) ? null : byteaArray(all);
  };
  const slots = new Map<number, number>();
  for (const { ledger } of kinds) if (!slots.has(ledger)) slots.set(ledger, slots.size + 1);
  const { needed, moved, isWhole } = foldHeads(rows, kinds);
  return [
    ...[writer, batch, known.seq, known.hash, flushes, isWhole],
    ...headArrays(needed),
    ...headArrays(moved),
    numbersOf('int4', [...slots.keys()]),
    numbers('int2', ({ mode }) => mode),
    numbersOf(
      'int4',
      kinds.map(({ ledger }) => slots.get(ledger) ?? null),
    ),
    numbers('int2', ({ entry }) => OUTCOME_CODES[entry.outcome]),
    numbers('int8', ({ expected }) => expected?.tx ?? null),
    bytes(({ expected }) => expected?.alh ?? null),
    // Its bytes hold until the next row's.
    bytes(({ entry, evidence }) => new Uint8Array(rowContent(entry, evidence))),
    numbers('int8', ({ entry }) => entry.tx),
    numbers('int8', ({ entry }) => entry.previousTx),
    numbers('int8', ({ entry }) => entry.calls),
    numbers('int8', ({ entry }) => entry.headerTime),
    numbers('int8', ({ entry }) => entry.verifiedAt),
    numbers('float8', ({ entry }) => entry.durationMs),
    numbersOf(
      'int4',
      kinds.map(({ id }) => id),
    ),
    numbersOf('int4', clients),
    bytes(({ entry }) => entry.alh),
    seldom(({ entry }) => entry.signature ?? null),
    seldom(({ entry }) => entry.keyFingerprint ?? null),
    seldom(({ evidence }) => evidence ?? null),
    seldom(({ entry }, i) => (clients[i] === null ? asBytes(entry.clientId) : null)),
    seldom(({ entry }) => (entry.detail === undefined ? null : asBytes(entry.detail))),
  ];
}

function headArrays(heads: ReadonlyMap<number, StoredRoot | null>): Value[] {
  const roots = [...heads.values()];
  return [
    numbersOf('int4', [...heads.keys()]),
    numbersOf(
      'int8',
      roots.map((root) => root?.tx ?? null),
    ),
    byteaArray(roots.map((root) => root?.alh ?? null)),
  ];
}

interface LostMove {
  readonly current: StoredRoot | null;
  readonly wasForgotten: boolean;
}

export interface BatchAnswer {
  readonly newest: ChainPoint;
  /** Null: the row was appended; a head, or none: it is not what was expected. */
  readonly lost: readonly (null | LostMove)[];
}

const ONE = /a|l(?:(\d{1,19}),([0-9a-f]{64}))?(f)?;/y;

/** @throws StoreError STORE_FAILED when it is no answer to `count` rows */
export function parseAnswer(outcome: unknown, count: number): BatchAnswer {
  const head = typeof outcome === 'string' ? /^(\d{1,19}),([0-9a-f]{64}):/.exec(outcome) : null;
  if (typeof outcome !== 'string' || !head) throw strange();
  const [all, seq = '', hash = ''] = head;
  const lost: (null | LostMove)[] = [];
  ONE.lastIndex = all.length;
  while (ONE.lastIndex < outcome.length) {
    const one = ONE.exec(outcome);
    if (!one || lost.length === count) throw strange();
    const [letter, tx, alh, forgotten] = one;
    if (letter === 'a') lost.push(null);
    else
      lost.push({
        current: tx === undefined || alh === undefined ? null : { tx: BigInt(tx), alh: fromHex(alh) },
        wasForgotten: forgotten !== undefined,
      });
  }
  return { newest: { seq: BigInt(seq), hash: fromHex(hash) }, lost };
}

function strange(): StoreError {
  return new StoreError('STORE_FAILED', 'the root store answers what is no answer to a batch');
}

/** What the caller is told. @throws StoreError when this cannot be the answer to the request */
export function answerTo(request: RowRequest, lost: BatchAnswer['lost'][number]): unknown {
  if (lost) {
    if (request.kind !== 'advance') throw strange();
    const { current, wasForgotten } = lost;
    return { moved: false, current, ...(wasForgotten && { wasForgotten }) };
  }
  if (request.kind === 'advance') return MOVED;
  return request.kind === 'record' ? NOTHING_FOUND : undefined;
}
