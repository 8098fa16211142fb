// `immu-ts audit show`: one row in full, and its place in the chain.
import type { AuditLog, AuditRow, TrustKey } from '../../index.js';
import { UsageError, command } from '../command.js';
import type { Io } from '../command.js';
import { HOLDS, REFUTED } from '../exit-code.js';
import { fieldsOf } from '../format/columns.js';
import { jsonText } from '../format/formats.js';
import { hex, isoTime, rowColumns } from '../format/row-columns.js';
import { visible } from '../../visible.js';
import { idOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';
import { placeOf } from './chain.js';
import type { ChainPlace } from './chain.js';

export const showCommand = command({
  name: 'audit show',
  operand: 'SEQ',
  summary: 'Shows one row in full, the rows before and behind it, and whether their hashes link.',
  options: {
    ...LOG_OPTIONS,
    tx: {
      type: 'string',
      value: 'N',
      says: 'in place of SEQ: the newest trusted root at or below this transaction',
    },
    server: { type: 'string', value: 'ID', says: 'with --tx: of this server identity' },
    database: { type: 'string', value: 'NAME', says: 'with --tx: of this database' },
    format: { type: 'string', value: 'NAME', says: 'text or json', default: 'text' },
  },
  async run(options, operand, io) {
    const { tx, server, database, format } = options;
    if ((operand === undefined) === (tx === undefined))
      throw new UsageError('audit show takes SEQ or --tx N');
    if (format !== 'text' && format !== 'json') {
      throw new UsageError(`--format is text or json, not ${JSON.stringify(format)}`);
    }
    if (tx === undefined && (server !== undefined || database !== undefined)) {
      throw new UsageError('--server and --database go with --tx');
    }
    const wanted =
      tx === undefined
        ? idOf('SEQ', operand ?? '')
        : {
            tx: idOf('--tx', tx),
            ...(server !== undefined && { server }),
            ...(database !== undefined && { database }),
          };
    await using log = await openLog(options, io);
    const seq = typeof wanted === 'bigint' ? wanted : await seqOf(log.audit, wanted);
    const place = await placeOf(log, seq);
    if (!place) throw new Error(`the log has no row ${seq.toString()}`);
    await (format === 'json' ? printJson(place, io) : printText(place, io));
    return place.linked === false || place.nextLinked === false ? REFUTED : HOLDS;
  },
});

async function seqOf(audit: AuditLog, { tx, ...key }: { tx: bigint } & Partial<TrustKey>): Promise<bigint> {
  const row = await audit.rootAt(tx, key);
  if (!row) throw new Error(`no trusted root at or below tx ${tx.toString()} is in the log`);
  return row.seq;
}

async function printText(
  { row, previous, previousHash, next, linked, nextLinked }: ChainPlace,
  { out }: Io,
): Promise<void> {
  const fields = fieldsOf(rowColumns({ jobs: false }), row);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) await out.add(line(name, String(value)));
  }
  if (row.headerTime !== 0n) await out.add(line('header time', isoTime(Number(row.headerTime) * 1000)));
  if (row.evidence) {
    await out.add(
      line('evidence', `${row.evidence.job.length} bytes: immu-ts evidence show ${row.seq.toString()}`),
    );
  }
  await out.add('\nchain\n');
  await out.add(line('  previous', previous ? neighbour(previous) : beforeWords(previousHash)));
  await out.add(line('  this row', `${hex(row.hash)}  ${linkWords(linked)}`));
  await out.write(
    line('  next', next ? `${neighbour(next)}  ${linkWords(nextLinked)}` : 'nothing: the newest row'),
  );
}

async function printJson(
  { row, previous, next, linked, nextLinked }: ChainPlace,
  { out }: Io,
): Promise<void> {
  const fields = (each: AuditRow | null) => each && fieldsOf(rowColumns({ jobs: false }), each);
  const place = { row: fields(row), previous: fields(previous), next: fields(next), linked, nextLinked };
  await out.write(`${jsonText(place, 2)}\n`);
}

function beforeWords(hash: Uint8Array | null): string {
  return hash ? `${hex(hash)}  archived` : 'none: the first row of its store';
}

function neighbour({ seq, hash, outcome, tx }: AuditRow): string {
  return `${hex(hash)}  row ${seq.toString()}, ${outcome}, tx ${tx.toString()}`;
}

function linkWords(linked: boolean | null): string {
  if (linked === null) return 'cannot be computed without the row before it';
  return linked ? 'follows from the row before it' : 'DOES NOT FOLLOW from the row before it';
}

function line(name: string, text: string): string {
  return `${name.padEnd(15)} ${visible(text)}\n`;
}
