// `immu-ts head verify`: is a note signed and cosigned as it must be, and is it of the history that a server shows?
import { readFile } from 'node:fs/promises';
import { verifyCheckpointNote } from '../../audit.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { REFUTED } from '../exit-code.js';
import { hex } from '../format/row-columns.js';
import { Told } from '../format/told.js';
import { countOf } from '../query-options.js';
import { HEAD_OPTIONS, withClient } from './connect.js';
import { timeWords } from './publish.js';
import { readWitnesses } from './witness-file.js';

/** No note is longer. */
const MAX_BYTES = 256 * 1024;

export const verifyHeadCommand = command({
  name: 'head verify',
  operand: 'NOTE',
  summary: 'Checks a published head, offline; with --online also that the server shows the same history.',
  options: {
    log: { type: 'string', value: 'KEY', says: 'public key of the origin: name+id+base64' },
    witnesses: { type: 'string', value: 'FILE', says: 'one witness a line: URL KEY' },
    quorum: { type: 'string', value: 'N', says: 'how many must have cosigned; default: all' },
    online: { type: 'boolean', says: 'has the server prove this tree under what is trusted' },
    ...HEAD_OPTIONS,
    json: { type: 'boolean', says: 'JSON on one line' },
  },
  more: `NOTE is a file. Exit codes: 0 it holds; 1 it could not be looked at; 3 it is not cosigned as it must be, or the server
shows another history, or less of it.`,
  async run(options, operand, io) {
    const { log, witnesses: file, quorum, online } = options;
    if (operand === undefined || log === undefined || file === undefined)
      throw new UsageError('head verify takes NOTE, --log and --witnesses');
    const keys = {
      log,
      witnesses: (await readWitnesses(file)).map(({ key }) => key),
      ...(quorum !== undefined && { quorum: countOf('quorum', quorum) }),
    };
    const note = (await readFile(operand)).subarray(0, MAX_BYTES + 1);
    const told = new Told(options.json, io);
    const verdict = verifyCheckpointNote(note, keys);
    if (!verdict.ok) {
      const { finding } = verdict;
      await told.add(
        { holds: false, finding },
        `NOT a head that is cosigned as it must be: ${visible(finding)}\n`,
      );
      return told.end(REFUTED);
    }
    const { checkpoint, cosigned } = verdict;
    const { origin, size, root } = checkpoint;
    const lines = [
      `${visible(origin)}: ${size.toString()} transactions, root ${hex(root)}`,
      ...cosigned.map(({ name, time }) => `cosigned by ${visible(name)} at ${timeWords(time)}`),
    ];
    await told.add({ holds: true, origin, size, root: hex(root), cosigned }, `${lines.join('\n')}\n`);
    if (!online) return told.end(0);
    const { head } = await withClient(options, io, (client) =>
      client.verifyHead(note, keys, { signal: io.signal }),
    );
    const provenUnder = { tx: head.tx, alh: hex(head.alh) };
    await told.add({ provenUnder }, `the server shows this history: proven under tx ${head.tx.toString()}\n`);
    return told.end(0);
  },
});
