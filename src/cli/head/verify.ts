// `immu-ts head verify`: is a note signed and cosigned as it must be, and is it of the history that a server shows?
import { readFile } from 'node:fs/promises';
import { verifyCheckpointNote } from '../../audit.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { REFUTED } from '../exit-code.js';
import { hex } from '../format/row-columns.js';
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
    const verdict = verifyCheckpointNote(note, keys);
    if (!verdict.ok) {
      await io.out.write(`NOT a head that is cosigned as it must be: ${visible(verdict.finding)}\n`);
      return REFUTED;
    }
    const { checkpoint, cosigned } = verdict;
    const { origin, size, root } = checkpoint;
    await io.out.add(`${visible(origin)}: ${size.toString()} transactions, root ${hex(root)}\n`);
    for (const { name, time } of cosigned)
      await io.out.add(`cosigned by ${visible(name)} at ${timeWords(time)}\n`);
    await io.out.flush();
    if (!online) return 0;
    const { head } = await withClient(options, io, (client) =>
      client.verifyHead(note, keys, { signal: io.signal }),
    );
    await io.out.write(`the server shows this history: proven under tx ${head.tx.toString()}\n`);
    return 0;
  },
});
