// `immu-ts head publish`: has witnesses cosign the newest head of a database.
import { readFile } from 'node:fs/promises';
import type { PublishedHead, WitnessOutcome } from '../../index.js';
import { QuorumError, originKey } from '../../audit.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';
import { jsonText } from '../format/formats.js';
import { isoTime } from '../format/row-columns.js';
import { countOf } from '../query-options.js';
import { writeWholeFile } from '../whole-file.js';
import { HEAD_OPTIONS, withClient } from './connect.js';
import { readWitnesses } from './witness-file.js';

export const publishCommand = command({
  name: 'head publish',
  summary: 'Has witnesses cosign the newest head of a database.',
  options: {
    ...HEAD_OPTIONS,
    origin: { type: 'string', value: 'NAME', says: 'name of this history, such as example.com/billing' },
    'origin-key': { type: 'string', value: 'FILE', says: 'its Ed25519 private key: PEM, or PRIVATE+KEY+…' },
    witnesses: { type: 'string', value: 'FILE', says: 'one witness a line: URL KEY' },
    quorum: { type: 'string', value: 'N', says: 'how many must cosign; default: all' },
    timeout: {
      type: 'string',
      value: 'MS',
      says: 'longest wait for one answer of a witness',
      default: '5000',
    },
    'show-key': { type: 'boolean', says: 'only prints the public key of the origin, for its witnesses' },
    out: {
      type: 'string',
      value: 'FILE',
      says: 'the cosigned note in a new file; without it standard output',
    },
    json: { type: 'boolean', says: 'JSON on one line: what each witness said, and the note' },
  },
  more: `The note is kept in the audit log too (operation publishHead). One origin is one history: a database that was
made anew needs another. Exit codes: 0 enough have cosigned; 1 fewer have; 3 one says that this is another
history, or that the server withholds transactions, whether enough have cosigned or not.`,
  async run(options, _operand, io) {
    const { origin, 'origin-key': keyFile, witnesses: file, quorum, timeout, out } = options;
    if (origin === undefined || keyFile === undefined)
      throw new UsageError('head publish takes --origin and --origin-key');
    const key = await readFile(keyFile, 'utf8');
    if (options['show-key']) {
      const shown = originKey(origin, key);
      await io.out.write(options.json ? `${jsonText({ origin, key: shown })}\n` : `${shown}\n`);
      return 0;
    }
    if (file === undefined) throw new UsageError('head publish takes --witnesses');
    const wanted = {
      ...{ origin, key, witnesses: await readWitnesses(file), newest: true, signal: io.signal },
      witnessTimeoutMs: countOf('timeout', timeout),
      ...(quorum !== undefined && { quorum: countOf('quorum', quorum) }),
    };
    const { published, isEnough } = await withClient(options, io, (client) =>
      client.publishHead(wanted).then(
        (done) => ({ published: done, isEnough: true }),
        (error: unknown) => ({ published: shortOf(error), isEnough: false }),
      ),
    );
    for (const witness of published.witnesses) await io.err.add(`${outcomeWords(witness)}\n`);
    const { size, note } = published;
    const what = `${size.toString()} transactions of ${visible(origin)}`;
    await io.err.write(isEnough ? `cosigned: ${what}\n` : `NOT cosigned by enough witnesses: ${what}\n`);
    const code = published.witnesses.some(isAlarm) ? REFUTED : isEnough ? HOLDS : FAILED;
    if (options.json) {
      const { witnesses: said } = published;
      await io.out.write(`${jsonText({ cosigned: isEnough, origin, size, witnesses: said, note })}\n`);
    } else if (isEnough && out === undefined) await io.out.write(note);
    if (isEnough && out !== undefined) await writeWholeFile(out, (part) => part.write(note));
    return code;
  },
});

/** What was published where too few cosigned; anything else is thrown on. */
function shortOf(error: unknown): PublishedHead {
  if (error instanceof QuorumError) return error.published;
  throw error;
}

/** It speaks against the server, which is logged as a fork or a rollback. */
function isAlarm(outcome: WitnessOutcome): boolean {
  return outcome.status === 'refused' && (outcome.reason === 'fork' || outcome.reason === 'withheld');
}

function outcomeWords(outcome: WitnessOutcome): string {
  const who = `${visible(outcome.name)}: ${outcome.status}`;
  switch (outcome.status) {
    case 'cosigned':
      return `${who} at ${timeWords(outcome.time)}`;
    case 'refused':
      return `${who} (${outcome.reason}): ${visible(outcome.detail)}`;
    case 'unreachable':
      return `${who}: ${visible(outcome.detail)}`;
  }
}

/** Any 63-bit number may stand for a time. */
export function timeWords(unixSeconds: bigint): string {
  return unixSeconds < 8_640_000_000_000n
    ? isoTime(Number(unixSeconds) * 1000)
    : `${unixSeconds.toString()} s`;
}
