// `immu-ts report verify`: is a report what the holder of a key signed? Offline.
import { readFile } from 'node:fs/promises';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import type { Io } from '../command.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';
import { JsonFields } from '../json-fields.js';
import { textOfFile } from '../text-file.js';
import { isPage, partsOf } from './page.js';
import { REPORT_FORMAT, REPORT_VERSION, VERDICT_WORDS } from './report.js';
import { fingerprint, isSigned, parseSignature, publicKeyIn, signatureText } from './signature.js';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const textOf = (path: string) => textOfFile(path, MAX_FILE_BYTES, 'a report');

export const reportVerifyCommand = command({
  name: 'report verify',
  operand: 'FILE',
  summary: 'Checks the signatures of a report, page or JSON, offline, and says what it says.',
  options: {
    key: { type: 'string', value: 'PEM', says: 'public key file of whoever must have signed it' },
    signature: { type: 'string', value: 'FILE', says: 'of a report as JSON; default: its name with .sig' },
  },
  more: `Exit code 0: it is what the holder of that key signed, whatever its verdict. 3: it is not, or was changed.
1: its signatures hold under a key that it names itself, and no --key says whose that is.`,
  async run({ key: keyFile, signature: signatureFile }, path, io) {
    if (path === undefined) throw new UsageError('which report? a FILE');
    const wanted = keyFile === undefined ? undefined : publicKeyIn(await readFile(keyFile, 'utf8'), keyFile);
    const text = await textOf(path);
    if (isPage(text) && signatureFile !== undefined)
      throw new UsageError('--signature goes with a report as JSON: a page holds its own');
    const wrong = await told(text, path, signatureFile, wanted, io);
    if (wrong !== undefined) {
      await io.out.write(`REFUSED: ${visible(wrong)}\n`);
      return REFUTED;
    }
    return wanted ? HOLDS : FAILED;
  },
});

/** Says what holds; returns what does not. Throws for what is no report at all. */
async function told(
  text: string,
  path: string,
  signatureFile: string | undefined,
  wanted: Uint8Array | undefined,
  { out }: Io,
): Promise<string | undefined> {
  const parts = isPage(text) ? partsOf(text, path) : undefined;
  const json = parts?.json ?? text;
  const [signed, name] = parts
    ? [parts.signature, `the signature in ${path}`]
    : [await textOf(signatureFile ?? `${path}.sig`), signatureFile ?? `${path}.sig`];
  const given = parseSignature(signed, name);
  const { publicKey, signature, pageSignature } = given;
  const by = wanted ?? publicKey;
  if (!isSigned(by, json, signature)) return 'the report is not what this key signed';
  if (parts && (!pageSignature || !isSigned(by, parts.page, pageSignature)))
    return 'the page is not what this key signed: what it shows may not be what its report says';
  if (signed !== signatureText(json, given) || !Buffer.from(publicKey).equals(by))
    return 'what stands beside the signature was changed';
  const fields = JsonFields.parse(json, path);
  if (fields.text('format') !== REPORT_FORMAT) return 'it is signed, and no report';
  const version = fields.number('version');
  if (version !== REPORT_VERSION)
    throw new Error(`${path} has version ${version}; this release reads version ${REPORT_VERSION}`);
  const whose = wanted
    ? 'signed by this key'
    : 'signed by a key that it names itself (--key says whose it is)';
  await out.add(`${whose}, SHA-256 ${fingerprint(by)}\n`);
  await out.add(`made ${visible(fields.text('madeAt'))} of ${visible(fields.text('store'))}\n`);
  for (const section of fields.objects('sections'))
    await out.add(
      `${wordsOf(section.text('verdict')).padEnd(18)} ${visible(section.text('title'))}: ${visible(section.text('summary'))}\n`,
    );
  await out.write(`the report says: ${wordsOf(fields.text('verdict'))}\n`);
  return undefined;
}

function wordsOf(verdict: string): string {
  const words: Readonly<Record<string, string>> = VERDICT_WORDS;
  return Object.hasOwn(words, verdict) ? (words[verdict] ?? '') : visible(verdict);
}
