// `immu-ts evidence …`: a refusal of a real client, from the store and from a file that somebody may have changed.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { formatEvidenceFile, parseEvidenceFile } from '#dist/cli/evidence/evidence-file.js';
import { SqliteRootStore } from '#dist/index.js';
import { evidenceHash, rowHash } from '#dist/store/log/audit-row.js';
import { packJob, unpackJob } from '#dist/verify/pack/packet.js';
import { auditedStore, entry, rowsIn, storeOf } from './audited.js';
import { call } from './call.js';
import { run } from './run.js';

let path: string;
let folder: string;
let seq: string;

beforeEach(async () => {
  ({ path, folder } = await auditedStore());
  seq = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!.seq.toString();
});

async function exported(): Promise<{ file: string; fields: Record<string, unknown> }> {
  const file = join(folder, 'evidence.json');
  expect((await call(['evidence', 'export', seq, '--store', path, '--out', file])).code).toBe(0);
  return { file, fields: JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> };
}

test('show: what was asked, trusted and answered, and that the check fails again', async () => {
  const { code, stdout } = await call(['evidence', 'show', seq, '--store', path]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^call +verifiedGet, client /m);
  expect(stdout).toMatch(/^asked +key "k3"$/m);
  expect(stdout).toMatch(/^of database +defaultdb$/m);
  expect(stdout).toMatch(/^trusted root +tx 8, alh [0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^expected +[0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^answer +\d+ bytes, SHA-256 [0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^row hash +intact/m);
  expect(stdout).toMatch(/^re-run +fails in the same way: /m);
});

test('export, and verify without the store: as processes, with exit codes', async () => {
  const out = await run(['evidence', 'export', seq, '--store', path, '--out', 'e.json'], { cwd: folder });
  expect(out).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/SHA-256 [0-9a-f]{64}\n$/) as string,
  });
  const fields = JSON.parse(await readFile(join(folder, 'e.json'), 'utf8')) as Record<string, unknown>;
  expect(fields).toMatchObject({
    format: 'immu-ts/evidence',
    version: 2,
    seq,
    database: 'defaultdb',
    outcome: 'failure',
    tx: '8',
  });
  const hash = fields['hash'] as string;
  expect(out.stderr).toContain(`whose hash is ${hash}`);
  const verified = await call(['evidence', 'verify', join(folder, 'e.json'), '--row-hash', hash]);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('reproduced') as string });
  expect(verified.stdout).toMatch(
    /^against +the log: the row hash that was given\. .*is the word of whoever/m,
  );
  expect((await call(['evidence', 'show', join(folder, 'e.json')])).stdout).toContain('key "k3"');
});

test('a file of version 1: read, its row hash holds, and its check is run again', async () => {
  const file = fileURLToPath(new URL('../store/fixtures/schema-3/evidence-8.json', import.meta.url));
  const { version, hash } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  expect(version).toBe(1);
  const { code, stdout } = await call(['evidence', 'verify', file, '--row-hash', hash as string]);
  expect(stdout).toMatch(/^row hash +intact/m);
  expect(code).toBe(0);
});

test('verify from the store, by the number of the row', async () => {
  expect(await call(['evidence', 'verify', seq, '--store', path])).toMatchObject({ code: 0 });
});

describe('a file that was changed', () => {
  // Every field of the row, and every field of the evidence: all of it is covered by the row's hash.
  const changes: Record<string, unknown> = {
    seq: '7',
    verifiedAt: '2026-01-31T08:00:00.000Z',
    outcome: 'fork',
    server: 'another',
    database: 'another',
    tx: '7',
    alh: '00'.repeat(32),
    previousTx: null,
    operation: 'verifiedSet',
    calls: 2,
    headerTime: '5',
    signature: '00',
    keyFingerprint: '00'.repeat(32),
    durationMs: 7,
    clientId: 'somebody',
    detail: 'nothing happened',
    check: 'trust.fork',
    expected: '00'.repeat(32),
    computed: '00'.repeat(32),
    hash: '00'.repeat(32),
    previousHash: '00'.repeat(32),
  };

  test.for(Object.keys(changes))('in its %s: not what was logged', async (field) => {
    const { file, fields } = await exported();
    expect(fields[field]).not.toEqual(changes[field]);
    await writeFile(file, JSON.stringify({ ...fields, [field]: changes[field] }));
    const { code, stdout } = await call(['evidence', 'verify', file]);
    expect({ code, stdout }).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/row hash +CHANGED/) as string,
    });
  });

  test('in its job, at any place: never verified', async () => {
    const { file, fields } = await exported();
    const job = Buffer.from(fields['job'] as string, 'base64');
    for (let i = 0; i < job.length; i += 41) {
      const other = Buffer.from(job);
      other[i]! ^= 0x11;
      await writeFile(file, JSON.stringify({ ...fields, job: other.toString('base64') }));
      expect((await call(['evidence', 'verify', file])).code).toBe(3);
    }
  });

  test('without the hash that its row follows: nobody can tell whether it is what was logged', async () => {
    const { file, fields } = await exported();
    await writeFile(file, JSON.stringify({ ...fields, previousHash: null }));
    const { code, stdout } = await call(['evidence', 'verify', file]);
    expect(code).toBe(1);
    expect(stdout).toContain('not verified');
    expect(stdout).toMatch(/^re-run +fails in the same way/m);
  });

  test('with its row hashed anew: the check still has to fail in the same way, on the same database', async () => {
    const { file } = await exported();
    const { row, previousHash } = parseEvidenceFile(await readFile(file, 'utf8'), file);
    const rehashed = (change: Partial<typeof row>) => {
      const { seq: at, evidence, hash, ...body } = { ...row, ...change };
      expect(hash).toHaveLength(32);
      return { ...body, seq: at, evidence, hash: rowHash(previousHash!, at, body, evidenceHash(evidence)) };
    };
    const unanswered = packJob({ ...unpackJob(row.evidence.job), answer: new Uint8Array(0) });
    for (const [change, words, alone] of [
      [{ evidence: { ...row.evidence, computed: '00'.repeat(32) } }, 'not reproduced', 3],
      [{ evidence: { ...row.evidence, check: 'trust.fork' } }, 'not reproduced', 3],
      [{ evidence: { check: 'trust.unproven-tx', job: unanswered } }, 'cannot be run again', 1],
      [{ database: 'another' }, 'from another database', 3],
      [{ detail: 'it was somebody else' }, 'reproduced: ', 1],
    ] as const) {
      await writeFile(file, formatEvidenceFile({ row: rehashed(change), previousHash }));
      const { code, stdout } = await call(['evidence', 'verify', file]);
      expect(stdout).toContain(words);
      expect(stdout).toContain('intact');
      // A row that was hashed anew is another row: whoever knows the hash of the one that was logged sees it.
      expect(code).toBe(alone);
      expect(stdout).toMatch(/^against +nobody: nothing ties the file to a log/m);
      const tied = await call([
        'evidence',
        'verify',
        file,
        '--row-hash',
        Buffer.from(row.hash).toString('hex'),
      ]);
      expect(tied.code).toBe(3);
      expect(tied.stdout).toMatch(/^against +nobody: not the row of the hash that was given/m);
    }
  });

  test.for([
    ['no JSON', 'text', /is not JSON/],
    ['a list', '[]', /not a JSON object/],
    ['another format', '{"format":"x"}', /its format is another/],
    ['no format', '{}', /"format" must be text/],
    ['another version', '{"format":"immu-ts/evidence","version":3}', /version 3/],
    ['version 0', '{"format":"immu-ts/evidence","version":0}', /version 0/],
  ] as const)('into %s: one line that says so', async ([, text, words]) => {
    const file = join(folder, 'evidence.json');
    await writeFile(file, text);
    await expect(call(['evidence', 'verify', file])).rejects.toThrow(words);
  });

  test('without one of its fields, or with one of another kind: the field is named', async () => {
    const { file, fields } = await exported();
    const optional = [
      'signature',
      'keyFingerprint',
      'detail',
      'expected',
      'computed',
      'previousTx',
      'previousHash',
    ];
    for (const field of Object.keys(fields)) {
      for (const value of [{}, optional.includes(field) ? 7 : undefined]) {
        await writeFile(file, JSON.stringify({ ...fields, [field]: value }));
        await expect(call(['evidence', 'verify', file]), field).rejects.toThrow(field);
      }
    }
  });
});

test('a row that has none, a row that is not there, a store that is not there', async () => {
  await expect(call(['evidence', 'show', '1', '--store', path])).rejects.toThrow('row 1 (');
  await expect(call(['evidence', 'show', '999', '--store', path])).rejects.toThrow('no row 999');
  await expect(call(['evidence', 'show', '1', '--store', join(folder, 'gone.db')])).rejects.toMatchObject({
    code: 'STORE_MISSING',
  });
  await expect(call(['evidence', 'verify', join(folder, 'gone.json')])).rejects.toThrow('gone.json');
});

test('evidence that cannot be read is shown for what it is, and not verified', async () => {
  const evidence = { check: 'made.up\u001b[2J', job: Uint8Array.of(77) };
  const made = await storeOf([entry({}), entry({ outcome: 'failure', evidence })]);
  const shown = await call(['evidence', 'show', '2', '--store', made.path]);
  expect(shown.stdout).toMatch(/^re-run +.*version 77/m);
  expect(shown.stdout).not.toContain('\u001b');
  const verified = await call(['evidence', 'verify', '2', '--store', made.path]);
  expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining('unreadable') as string });
  expect(verified.stdout).not.toContain('\u001b');
});

test('an export never takes the place of another file', async () => {
  const { file } = await exported();
  const before = await readFile(file, 'utf8');
  await expect(call(['evidence', 'export', seq, '--store', path, '--out', file])).rejects.toThrow(
    'there already',
  );
  expect(await readFile(file, 'utf8')).toBe(before);
});

describe('a fork that the store met in its own log', () => {
  let forked: string;
  let row: string;

  beforeEach(async () => {
    forked = join(folder, 'forked.db');
    await using store = await SqliteRootStore.open(forked);
    const first = { tx: 5n, alh: new Uint8Array(32).fill(5) };
    await store.advance(null, entry({ ...first, outcome: 'first-use' }));
    await store.advance(first, entry({ tx: 7n, outcome: 'root', clientId: 'one' }));
    const offered = entry({ tx: 7n, alh: new Uint8Array(32).fill(9), outcome: 'root', clientId: 'two' });
    await store.advance(first, offered);
    await store.close();
    row = (await rowsIn(forked)).find(({ outcome }) => outcome === 'fork')!.seq.toString();
  });

  test('show names both roots, both rows, and who saw them', async () => {
    const { code, stdout } = await call(['evidence', 'show', row, '--store', forked]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^check +log\.fork$/m);
    expect(stdout).toMatch(/^here +tx 7, alh (09){32}: .* of client two, .*, row 3$/m);
    expect(stdout).toMatch(/^there +tx 7, alh [0-9a-f]{64}: .* of client one, .*, row 2$/m);
    expect(stdout).toMatch(/^other row +intact/m);
  });

  test('export has both rows, and verify needs no store; a row that was changed confirms nothing', async () => {
    const file = join(folder, 'fork.json');
    expect((await call(['evidence', 'export', row, '--store', forked, '--out', file])).code).toBe(0);
    expect(await call(['evidence', 'verify', row, '--store', forked])).toMatchObject({ code: 0 });
    const parsed = parseEvidenceFile(await readFile(file, 'utf8'), file);
    const tie = ['--row-hash', Buffer.from(parsed.row.hash).toString('hex')];
    const verified = await call(['evidence', 'verify', file, ...tie]);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('confirmed') as string });
    expect((await call(['evidence', 'verify', file])).code).toBe(1);
    const other = parsed.contradicted!;
    const changes: [string, object, number][] = [
      ['not confirmed', { contradicted: undefined }, 1],
      ['not confirmed', { contradicted: { ...other, previousHash: null } }, 1],
      ['not confirmed', { contradicted: { ...other, row: { ...other.row, alh: parsed.row.alh } } }, 3],
      ['not confirmed', { contradicted: { ...other, row: { ...other.row, clientId: 'somebody' } } }, 3],
      ['not what was logged', { row: { ...parsed.row, tx: 8n } }, 3],
      ['not verified', { previousHash: null }, 1],
    ];
    for (const [words, change, exit] of changes) {
      const { contradicted, ...rest } = { ...parsed, ...change };
      await writeFile(file, formatEvidenceFile({ ...rest, ...(contradicted && { contradicted }) }));
      const { code, stdout } = await call(['evidence', 'verify', file]);
      expect([code, stdout]).toEqual([exit, expect.stringContaining(words)]);
    }
  });
});
