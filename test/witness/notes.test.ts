// Notes, keys, checkpoints, cosignatures and proofs by themselves: what is taken, and that everything else is not.
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { originKey, verifyCheckpointNote } from '#dist/audit.js';
import type { NoteKeys } from '#dist/audit.js';
import { fromBase64, toBase64 } from '#dist/proof/heads/base64.js';
import { checkpointText, parseCheckpointText } from '#dist/proof/heads/checkpoint.js';
import { toRfcConsistency, verifyRfcConsistency } from '#dist/proof/heads/consistency.js';
import { noteOf, parseNote } from '#dist/proof/heads/note.js';
import { formatNoteKey, parseNoteKey } from '#dist/proof/heads/note-key.js';
import { ProofFailure } from '#dist/proof/failure.js';
import { H, MTH, PROOF, serverProof } from '../reference/rfc6962.js';
import { cosign, line, logKey, logLine, testKey, witnessKey } from './witness-server.js';

const ORIGIN = 'log.example/one';
const log = logKey(ORIGIN);
const [a, b, c] = ['a.example', 'b.example', 'c.example'].map(witnessKey) as [
  ReturnType<typeof witnessKey>,
  ReturnType<typeof witnessKey>,
  ReturnType<typeof witnessKey>,
];
const ROOT = H(new Uint8Array([1]));
const TEXT = checkpointText({ origin: ORIGIN, size: 77n, root: ROOT });
const KEYS: NoteKeys = { log: log.vkey, witnesses: [a.vkey, b.vkey, c.vkey], quorum: 2 };
const NOTE = `${TEXT}\n${logLine(log, TEXT)}${cosign(a, TEXT, 100n)}${cosign(b, TEXT, 200n)}`;

function finding(note: string | Uint8Array, keys = KEYS): string {
  const verdict = verifyCheckpointNote(note, keys);
  return verdict.ok ? 'it holds' : verdict.finding;
}

const check = (work: () => unknown): string => {
  try {
    work();
    return 'it holds';
  } catch (error) {
    if (error instanceof ProofFailure) return error.check;
    throw error;
  }
};

test('base64: as the platform has it, and in that form only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(toBase64(bytes)).toBe(text);
      expect(fromBase64(text)).toEqual(bytes);
    }),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('AQgw+/9_-= \n')), maxLength: 9 }),
      (text) => {
        const bytes = fromBase64(text);
        if (bytes) expect(toBase64(bytes)).toBe(text);
      },
    ),
  );
  for (const text of ['A', 'AA', 'AAA', 'A===', 'AA=A', '====', 'AB==', 'AAB=', 'AA==\n', 'A_A='])
    expect([text, fromBase64(text)]).toEqual([text, undefined]);
});

test('a checkpoint that the log signed and enough witnesses cosigned', () => {
  expect(verifyCheckpointNote(NOTE, KEYS)).toEqual({
    ok: true,
    checkpoint: { origin: ORIGIN, size: 77n, root: ROOT },
    cosigned: [
      { name: a.name, key: a.vkey, time: 100n },
      { name: b.name, key: b.vkey, time: 200n },
    ],
  });
  expect(verifyCheckpointNote(Buffer.from(NOTE), KEYS)).toMatchObject({ ok: true });
  expect(finding(NOTE, { ...KEYS, quorum: 3 })).toBe('2 of 3 witnesses have cosigned it, and 3 must');
  expect(finding(NOTE, { log: KEYS.log, witnesses: [a.vkey, c.vkey] })).toMatch(/^1 of 2/);
  expect(finding(NOTE, { log: [logKey(ORIGIN).vkey, log.vkey] })).toBe('it holds');
  // Beside signatures of others, of the same name, or the same id.
  const stranger = { ...a, privateKey: b.privateKey, name: 'stranger.example' };
  expect(finding(NOTE + cosign(witnessKey(a.name), TEXT, 1n) + cosign(stranger, TEXT, 1n))).toBe('it holds');
  // The newest of one witness counts, once.
  const twice = `${TEXT}\n${logLine(log, TEXT)}${cosign(a, TEXT, 100n)}${cosign(a, TEXT, 300n)}`;
  expect(finding(twice)).toMatch(/^1 of 3/);
  expect(verifyCheckpointNote(twice, { ...KEYS, quorum: 1 })).toMatchObject({ cosigned: [{ time: 300n }] });
});

test('one that is not: nobody signed, another did, over another text', () => {
  const other = logKey(ORIGIN);
  const cosignatures = cosign(a, TEXT, 100n) + cosign(b, TEXT, 200n);
  expect(finding(`${TEXT}\n${cosignatures}`)).toBe('the log has not signed it');
  expect(finding(`${TEXT}\n${logLine(other, TEXT)}${cosignatures}`)).toBe('the log has not signed it');
  const forged = line({ ...log, privateKey: other.privateKey }, Buffer.alloc(64));
  expect(finding(`${TEXT}\n${forged}${cosignatures}`)).toMatch(/^note\.form/);
  expect(finding(`${TEXT}\n${logLine(log, TEXT)}${forged}${cosignatures}`)).toMatch(/^note\.form/);
  const elsewhere = checkpointText({ origin: 'other.example', size: 77n, root: ROOT });
  const theirs = `${elsewhere}\n${logLine(log, elsewhere)}${cosign(a, elsewhere, 1n)}${cosign(b, elsewhere, 1n)}`;
  expect(finding(theirs)).toMatch(/another origin/);
  const lying = cosign({ ...b, privateKey: other.privateKey }, TEXT, 5n);
  expect(finding(`${TEXT}\n${logLine(log, TEXT)}${cosign(a, TEXT, 1n)}${lying}`)).toMatch(
    /^note\.cosignature/,
  );
  // A cosignature with its time changed.
  const late = Buffer.from(cosign(a, TEXT, 100n).split(' ')[2]!, 'base64');
  late[11]! ^= 1;
  expect(finding(`${TEXT}\n${logLine(log, TEXT)}${line(a, late.subarray(4))}`)).toMatch(/^note\.cosignature/);
  // A log's key does not speak as a witness, nor the other way round.
  const twoFaced = testKey('a.example', 1, a.privateKey);
  expect(finding(`${TEXT}\n${logLine(log, TEXT)}${logLine(twoFaced, TEXT)}`, { ...KEYS, quorum: 1 })).toMatch(
    /^0 of 3/,
  );
});

test('any single change of a note of which nothing is left over is found', () => {
  const keys = { log: log.vkey, witnesses: [a.vkey, b.vkey] };
  expect(finding(NOTE, keys)).toBe('it holds');
  for (let at = 0; at < NOTE.length; at++) {
    for (const put of ['', 'A', '\n', '0']) {
      const changed = NOTE.slice(0, at) + put + NOTE.slice(at + 1);
      if (changed === NOTE) continue;
      expect([at, put, finding(changed, keys) === 'it holds']).toEqual([at, put, false]);
    }
  }
});

test('what is no note', () => {
  const [good] = [logLine(log, TEXT)];
  const bad: (string | Uint8Array)[] = [
    '',
    '\n',
    '\n\n',
    TEXT,
    `${TEXT}\n`,
    `${TEXT}${good}`,
    `${TEXT}\n${good.slice(0, -1)}`,
    `${TEXT}\n${good}\n`,
    `${TEXT}\n${good.replace('\u2014', '-')}`,
    `${TEXT}\n${good.replace('\u2014 ', '\u2014  ')}`,
    `${TEXT}\n${good.replace('\n', ' \n')}`,
    `${TEXT}\n${good.replace('\n', '\r\n')}`,
    `${TEXT}\n\u2014 name AAAAAA==\n`,
    `${TEXT}\n\u2014 name \n`,
    `${TEXT}\n\u2014 a+b AAAAAAAA\n`,
    `${TEXT}\n\u2014 a\u00a0b AAAAAAAA\n`,
    `${TEXT}\t\n${good}`,
    `${TEXT}\n${good.repeat(65)}`,
    `${'x'.repeat(300_000)}\n\n${good}`,
    '\ud800\n\n' + good,
    Buffer.concat([Buffer.from([0xff]), Buffer.from(`${TEXT}\n${good}`)]),
  ];
  for (const note of bad) expect([note, check(() => parseNote(note))]).toEqual([note, 'note.form']);
  const long = `${TEXT}\n${good.repeat(64)}`;
  expect(parseNote(long).signatures).toHaveLength(64);
  expect(noteOf(parseNote(long))).toBe(long);
  // A text may hold empty lines, and what looks like a signature.
  const odd = `one\n\n${good}\n${good}`;
  expect(parseNote(odd)).toMatchObject({ text: `one\n\n${good}`, signatures: [{ name: ORIGIN }] });
  // A mark at the start is part of the text, in bytes as in text.
  expect(parseNote(Buffer.from(`\ufeff${TEXT}\n${good}`)).text).toBe(`\ufeff${TEXT}`);
});

test('what is no checkpoint', () => {
  const root = toBase64(ROOT);
  const empty = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  expect(parseCheckpointText(`o\n0\n${empty}\n`).size).toBe(0n);
  expect(parseCheckpointText(`two words\n1\n${root}\nmore\n`)).toEqual({
    origin: 'two words',
    size: 1n,
    root: ROOT,
  });
  expect(parseCheckpointText(`o\n9223372036854775807\n${root}\n`).size).toBe(2n ** 63n - 1n);
  const bad = [
    '',
    '\n',
    `o\n1\n`,
    `o\n1\n${root}`,
    `\n1\n${root}\n`,
    `o\n\n${root}\n`,
    `o\n1\n${root}\n\n`,
    `o\n1\n${root}\n\nmore\n`,
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n+1\n${root}\n`,
    `o\n1.0\n${root}\n`,
    `o\n 1\n${root}\n`,
    `o\n0x1\n${root}\n`,
    `o\n\u0661\n${root}\n`,
    `o\n9223372036854775808\n${root}\n`,
    `o\n99999999999999999999\n${root}\n`,
    `o\n1\n${root.slice(4)}\n`,
    `o\n1\n${root.replace('=', '')}\n`,
    `o\n1\nAAAA${root}\n`,
    `o\n0\n${root}\n`,
  ];
  for (const text of bad)
    expect([text, check(() => parseCheckpointText(text))]).toEqual([text, 'note.checkpoint']);
});

test('keys as text, both ways; what is none', () => {
  for (const key of [log, a]) {
    const parsed = parseNoteKey(key.vkey);
    expect(parsed).toMatchObject({ name: key.name, id: key.id.toString('hex') });
    expect(Buffer.from(parsed.publicKey).equals(key.raw)).toBe(true);
    expect(formatNoteKey(parsed)).toBe(key.vkey);
  }
  const pem = log.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const { d } = log.privateKey.export({ format: 'jwk' });
  const seed = Buffer.concat([Buffer.from([1]), Buffer.from(d!, 'base64url')]).toString('base64');
  const skey = `PRIVATE+KEY+${ORIGIN}+${log.id.toString('hex')}+${seed}`;
  for (const key of [log.privateKey, pem, skey, `${skey}\n`]) expect(originKey(ORIGIN, key)).toBe(log.vkey);
  for (const key of [
    skey.slice(0, -4),
    skey.replace('KEY+l', 'KEY+m'),
    'PRIVATE+KEY+',
    `PRIVATE+KEY+${log.vkey}`,
    pem.slice(30),
    '',
  ])
    expect(() => originKey(ORIGIN, key)).toThrow(/^key /);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  for (const key of [privateKey, publicKey]) expect(() => originKey(ORIGIN, key)).toThrow(/Ed25519/);
  for (const origin of ['', 'a b', 'a+b', 'x'.repeat(256), 5 as never])
    expect(() => originKey(origin, log.privateKey)).toThrow(/^origin /);
  const [name, id, base64] = [ORIGIN, log.id.toString('hex'), log.vkey.slice(ORIGIN.length + 10)];
  const typed = (type: number, bytes = log.raw) =>
    Buffer.concat([Buffer.from([type]), bytes]).toString('base64');
  const bad = [
    '',
    '+',
    '++',
    name,
    `${name}+${id}`,
    `${name}+${id}+`,
    `+${id}+${base64}`,
    `${name}x+${id}+${base64}`,
    `${name} +${id}+${base64}`,
    `${name}+${id.toUpperCase()}x+${base64}`,
    `${name}+00000000+${base64}`,
    `${name}+${id}+${base64}\n`,
    `${name}+${id}+${typed(6)}`,
    `${name}+${id}+${typed(2)}`,
    `${name}+${id}+${typed(4)}`,
    `${name}+${id}+${typed(1, log.raw.subarray(1))}`,
    `${name}+${id}+${'A'.repeat(2000)}`,
  ];
  for (const text of bad) expect([text, check(() => parseNoteKey(text))]).toEqual([text, 'note.key']);
});

test('wrong keys are the caller’s mistake', () => {
  const sameKey = testKey('other.example', 4, a.privateKey);
  const bad: [string, object][] = [
    ['log', { log: a.vkey }],
    ['log', { log: [] }],
    ['log', { log: undefined }],
    ['log', { log: [5] }],
    ['witnesses', { witnesses: [log.vkey] }],
    ['witnesses', { witnesses: ['no key'] }],
    ['witnesses', { witnesses: a.vkey }],
    ['witnesses', { witnesses: Array.from({ length: 17 }, (_, i) => witnessKey(`w${i}`).vkey) }],
    // It would count twice: a cosignature does not say under which name it was made.
    ['witnesses', { witnesses: [a.vkey, sameKey.vkey] }],
    ['quorum', { quorum: 0 }],
    ['quorum', { quorum: 4 }],
    ['quorum', { quorum: '2' }],
    ['keys', { witneses: [] }],
  ];
  for (const [argument, change] of bad) {
    const act = () => verifyCheckpointNote(NOTE, { ...KEYS, ...change });
    expect(act, JSON.stringify(change)).toThrow(expect.objectContaining({ argument }) as Error);
  }
  for (const note of [undefined, 5, {}, null])
    expect(() => verifyCheckpointNote(note as never, KEYS)).toThrow(/^note must/);
  for (const keys of [undefined, null, 'key'])
    expect(() => verifyCheckpointNote(NOTE, keys as never)).toThrow(/^keys must/);
});

test('proofs of every size to every size become those of RFC 6962, and any other is refused', () => {
  const leaves = Array.from({ length: 40 }, (_, i) => H(new Uint8Array([i])));
  const roots = leaves.map((_, i) => MTH(leaves.slice(0, i + 1)));
  for (let j = 1; j <= leaves.length; j++) {
    const D = leaves.slice(0, j);
    for (let i = 1; i <= j; i++) {
      const [older, newer] = [BigInt(i), BigInt(j)];
      const [rootI, rootJ] = [roots[i - 1]!, roots[j - 1]!];
      const proof = toRfcConsistency(serverProof(i, D), older, newer);
      expect(proof).toEqual(PROOF(i, D));
      const verify = (terms: readonly Uint8Array[], of = rootI) =>
        check(() => verifyRfcConsistency(terms, older, newer, of, rootJ));
      expect(verify(proof)).toBe('it holds');
      expect(verify(proof, H(rootI))).toBe('tlog.consistency');
      expect(verify([...proof, rootI])).toBe('tlog.consistency');
      for (let at = 0; at < proof.length; at++) {
        expect(verify(proof.filter((_, k) => k !== at))).toBe('tlog.consistency');
        expect(verify(proof.map((term, k) => (k === at ? H(term) : term)))).toBe('tlog.consistency');
      }
    }
  }
  expect(toRfcConsistency([], 0n, 5n)).toEqual([]);
  expect(check(() => verifyRfcConsistency([], 0n, 5n, new Uint8Array(32), ROOT))).toBe('it holds');
  expect(check(() => verifyRfcConsistency([ROOT], 0n, 5n, ROOT, ROOT))).toBe('tlog.consistency');
  expect(check(() => verifyRfcConsistency([], 6n, 5n, ROOT, ROOT))).toBe('tlog.consistency');
});
