// `immu-ts evidence …`: what a refused answer was, as a file for others, whether its check still fails, and whom that speaks
// against.
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UsageError, command } from '../command.js';
import type { Io } from '../command.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';
import { hex, isoTime } from '../format/row-columns.js';
import { Told } from '../format/told.js';
import { visible } from '../../visible.js';
import { parseCheckpointFile } from '../audit/checkpoint-file.js';
import { LOG_OPTIONS, logPath, openLog } from '../store-option.js';
import type { LogWords } from '../store-option.js';
import { writeWholeFile } from '../whole-file.js';
import { attributionWords, serverAttribution } from './attribution.js';
import type { Tie } from './attribution.js';
import { formatEvidenceFile, rowIntegrity } from './evidence-file.js';
import type { RowFile } from './evidence-file.js';
import { findingsOf } from './findings.js';
import { asEvidence, evidenceFrom, isRow, rowFrom } from './source.js';

const WHICH = 'which evidence? the number of a row, or a file';

const TIE_OPTIONS = {
  'row-hash': { type: 'string', value: 'HEX', says: 'hash of the row, known by another way than the file' },
  checkpoint: { type: 'string', value: 'FILE', says: 'a checkpoint that commits to the row' },
  'server-key': {
    type: 'string',
    value: 'PEM',
    says: 'public key file with which the server signs its state',
  },
} as const;

const JSON_OPTION = { json: { type: 'boolean', says: 'JSON on one line' } } as const;

interface TieWords extends LogWords {
  readonly json: boolean;
  readonly 'row-hash': string | undefined;
  readonly checkpoint: string | undefined;
  readonly 'server-key': string | undefined;
}

export const evidenceShowCommand = command({
  name: 'evidence show',
  operand: 'SEQ|FILE',
  summary:
    'Shows what was asked, what was trusted, which check the answer failed, and runs that check again.',
  options: { ...LOG_OPTIONS, ...TIE_OPTIONS, ...JSON_OPTION },
  async run(options, operand, io) {
    const file = await evidenceFrom(operand, options, WHICH, io);
    const { row } = file;
    const { facts } = findingsOf(
      file,
      await tiesOf(operand ?? '', file, options, io),
      await serverKey(options),
    );
    const told = new Told(options.json, io);
    await lines(told, [
      ['row', `${row.seq.toString()} (${row.outcome}) of ${isoTime(row.verifiedAt)}`],
      ['server', row.server],
      ['database', row.database],
      ['head then', `tx ${row.tx.toString()}`],
      ['call', `${row.operation}, client ${row.clientId}`],
      ['what', row.detail ?? '-'],
      ...facts,
    ]);
    return told.end(0);
  },
});

export const evidenceExportCommand = command({
  name: 'evidence export',
  operand: 'SEQ',
  summary:
    'Writes the evidence of a row, or a root that the server signed, as a file that others verify without store or server.',
  options: {
    ...LOG_OPTIONS,
    out: { type: 'string', value: 'FILE', says: 'a new file; without it standard output' },
  },
  async run(options, operand, io) {
    const { out, err } = io;
    const { out: path } = options;
    const file = await rowFrom(operand, options, WHICH, io);
    const text = formatEvidenceFile(file);
    if (path === undefined) {
      await out.write(text);
      return 0;
    }
    const { sha256 } = await writeWholeFile(path, (part) => part.write(text));
    const row = `row ${file.row.seq.toString()}, whose hash is ${hex(file.row.hash)}`;
    await err.write(`evidence of ${row}, in ${visible(path)}, SHA-256 ${sha256}\n`);
    return 0;
  },
});

export const evidenceVerifyCommand = command({
  name: 'evidence verify',
  operand: 'SEQ|FILE',
  second: 'SEQ|FILE',
  summary: 'Runs the failed check again, offline, and says whom it speaks against.',
  options: { ...LOG_OPTIONS, ...TIE_OPTIONS, ...JSON_OPTION },
  more: `Exit code 0 of one: the check fails as it did then, and this is what a log has: the one at hand, or the one whose
row hash or checkpoint was given. A file alone shows that its bytes fail a check, not who made them: exit code 1.
Exit code 3 of one: it was changed, the check does not fail as it says, or it is not the row that was given.
Exit code 0 of two (evidence, or roots of the log that the server signed): both are signed by one key, and give one
transaction two hashes. Only who has that key can have made them.`,
  async run(options, operand, io, second) {
    if (second === undefined) return verdict(operand ?? '', options, io);
    if (options['row-hash'] !== undefined || options.checkpoint !== undefined)
      throw new UsageError('--row-hash and --checkpoint go with one row or file');
    return verdictOnTwo([operand ?? '', second], options, io);
  },
});

/** The exit code. */
async function verdict(operand: string, options: TieWords, io: Io): Promise<number> {
  const file = asEvidence(await rowFrom(operand === '' ? undefined : operand, options, WHICH, io));
  const ties = await tiesOf(operand, file, options, io);
  const findings = findingsOf(file, ties, await serverKey(options));
  const { reproduced, refuted, attribution, summary, facts } = findings;
  const told = new Told(options.json, io);
  const { seq, evidence } = file.row;
  await told.add(
    { row: seq, check: evidence.check, reproduced, refuted, summary },
    `row ${seq.toString()}, ${visible(evidence.check)}: ${summary}\n`,
  );
  const shown = ['here', 'there', 'other row', 'kept', 'row hash', 're-run', 'database', 'against'];
  await lines(
    told,
    facts.filter(([name]) => shown.includes(name)),
  );
  if (refuted || (attribution.to === 'none' && attribution.refuted)) return told.end(REFUTED);
  return told.end(reproduced && attribution.to !== 'none' ? HOLDS : FAILED);
}

/** The exit code. */
async function verdictOnTwo(operands: readonly string[], options: TieWords, io: Io): Promise<number> {
  const files: RowFile[] = [];
  for (const operand of operands) {
    const isOfLog = isRow(operand);
    const none = { store: undefined, archive: undefined, damaged: false };
    files.push(await rowFrom(operand, isOfLog ? options : none, WHICH, io));
  }
  const told = new Told(options.json, io);
  for (const file of files) {
    const { row } = file;
    const what = row.evidence
      ? `check ${row.evidence.check}`
      : `tx ${row.tx.toString()}, alh ${hex(row.alh)}`;
    await lines(told, [
      [`row ${row.seq.toString()}`, `${row.outcome} of ${row.database}: ${what}`],
      [options.json ? `row hash ${row.seq.toString()}` : 'row hash', rowIntegrity(file)],
    ]);
  }
  const found = serverAttribution(files, await serverKey(options));
  const why = 'in these two no transaction has two hashes with valid signatures of one key';
  const attribution = found ?? ({ to: 'none', why } as const);
  await lines(told, [['against', attributionWords(attribution)]]);
  return told.end(found === undefined ? FAILED : HOLDS);
}

/** What is known of the row by another way than a file. */
async function tiesOf(operand: string, { row }: RowFile, options: TieWords, io: Io): Promise<Tie[]> {
  const ties: Tie[] = [];
  const { 'row-hash': hash, checkpoint: path } = options;
  if (hash !== undefined && !/^[0-9a-fA-F]{64}$/.test(hash))
    throw new UsageError('--row-hash is 64 hex digits');
  if (hash !== undefined) ties.push({ kind: 'row-hash', hash: new Uint8Array(Buffer.from(hash, 'hex')) });
  const checkpoint = path === undefined ? undefined : parseCheckpointFile(await readFile(path, 'utf8'), path);
  if (!isRow(operand)) {
    if (checkpoint) ties.push({ kind: 'checkpoint', checkpoint });
    return ties;
  }
  // Of a log at hand, a checkpoint commits to every row up to its own.
  if (checkpoint) {
    if (checkpoint.seq < row.seq)
      throw new Error(
        `the checkpoint is of row ${checkpoint.seq.toString()}: row ${row.seq.toString()} came later`,
      );
    await using log = await openLog(options, io);
    const whole = await log.audit.verify({ checkpoint });
    if (!whole.ok) throw new Error(`row ${whole.seq.toString()} of the log: ${whole.finding}`);
  }
  const held = checkpoint ? `, held against the checkpoint of row ${checkpoint.seq.toString()}` : '';
  ties.push({ kind: 'log', path: `${logPath(options)}${held}` });
  return ties;
}

/** SPKI DER. */
async function serverKey({ 'server-key': path }: TieWords): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8');
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) throw new Error(`${path} holds no public key in PEM`);
  return new Uint8Array(createPublicKey(text).export({ type: 'spki', format: 'der' }));
}

async function lines(told: Told, facts: readonly (readonly [string, string])[]): Promise<void> {
  const words = facts.map(([name, text]) => `${name.padEnd(12)} ${visible(text)}\n`);
  await told.add(Object.fromEntries(facts), words.join(''));
}
