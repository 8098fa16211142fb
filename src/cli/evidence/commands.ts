// `immu-ts evidence …`: what a refused answer was, as a file for others, and whether its check still fails.
import { command } from '../command.js';
import type { Io } from '../command.js';
import { isoTime } from '../format/row-columns.js';
import { visible } from '../../visible.js';
import { LOG_OPTIONS } from '../store-option.js';
import { writeWholeFile } from '../whole-file.js';
import { formatEvidenceFile } from './evidence-file.js';
import type { EvidenceFile } from './evidence-file.js';
import { findingsOf } from './findings.js';
import { evidenceFrom } from './source.js';

const WHICH = 'which evidence? the number of a row, or a file';

export const evidenceShowCommand = command({
  name: 'evidence show',
  operand: 'SEQ|FILE',
  summary:
    'Shows what was asked, what was trusted, which check the answer failed, and runs that check again.',
  options: LOG_OPTIONS,
  async run(options, operand, io) {
    const file = await evidenceFrom(operand, options, WHICH, io);
    const { row } = file;
    await lines(io, [
      ['row', `${row.seq.toString()} (${row.outcome}) of ${isoTime(row.verifiedAt)}`],
      ['server', row.server],
      ['database', row.database],
      ['head then', `tx ${row.tx.toString()}`],
      ['call', `${row.operation}, client ${row.clientId}`],
      ['what', row.detail ?? '-'],
      ...findingsOf(file).facts,
    ]);
    return 0;
  },
});

export const evidenceExportCommand = command({
  name: 'evidence export',
  operand: 'SEQ',
  summary:
    'Writes the evidence of a row as a file that stands alone: others can verify it without store or server.',
  options: {
    ...LOG_OPTIONS,
    out: { type: 'string', value: 'FILE', says: 'a new file; without it standard output' },
  },
  async run(options, operand, io) {
    const { out, err } = io;
    const { out: path } = options;
    const file = await evidenceFrom(operand, options, WHICH, io);
    const text = formatEvidenceFile(file);
    if (path === undefined) {
      await out.write(text);
      return 0;
    }
    const { sha256 } = await writeWholeFile(path, (part) => part.write(text));
    await err.write(`evidence of row ${file.row.seq.toString()} in ${path}, SHA-256 ${sha256}\n`);
    return 0;
  },
});

export const evidenceVerifyCommand = command({
  name: 'evidence verify',
  operand: 'SEQ|FILE',
  summary: 'Runs the failed check again, offline. Exit code 0: it fails in the same way; 1: it does not.',
  options: LOG_OPTIONS,
  async run(options, operand, io) {
    const file = await evidenceFrom(operand, options, WHICH, io);
    return (await verdict(io, file)) ? 0 : 1;
  },
});

async function verdict(io: Io, file: EvidenceFile): Promise<boolean> {
  const { reproduced, summary, facts } = findingsOf(file);
  await io.out.add(`row ${file.row.seq.toString()}, ${visible(file.row.evidence.check)}: ${summary}\n`);
  await lines(
    io,
    facts.filter(([name]) => ['here', 'there', 'other row', 'row hash', 're-run', 'database'].includes(name)),
  );
  return reproduced;
}

async function lines({ out }: Io, facts: readonly (readonly [string, string])[]): Promise<void> {
  for (const [name, text] of facts) await out.add(`${name.padEnd(12)} ${visible(text)}\n`);
  await out.flush();
}
