// Whom evidence speaks against: files that anyone can make of honest, signed answers bind nobody; a log binds who wrote it; two
// signatures of one key over one transaction with two hashes bind its holder.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatEvidenceFile } from '#dist/cli/evidence/evidence-file.js';
import { ImmuClient } from '#dist/index.js';
import { signedContradiction } from '#dist/audit.js';
import type { AuditRow, Evidence } from '#dist/index.js';
import { evidenceHash, rowHash } from '#dist/store/log/audit-row.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { packJob, unpackJob } from '#dist/verify/pack/packet.js';
import { check } from '#dist/verify/check.js';
import { rowsIn } from './audited.js';
import { call } from './call.js';

let folder: string;
let serverKey: string;
let keyFile: string;
let otherKeyFile: string;
/** Stores of two clients, with the server's signature on every root; the second was shown another history from tx 4 on. */
let stores: string[];

const pem = (key: { export(options: object): string | Buffer }) =>
  key.export({ type: 'spki', format: 'pem' }).toString();

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'immu-ts-attribution-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  serverKey = pem(publicKey);
  keyFile = join(folder, 'server.pem');
  otherKeyFile = join(folder, 'other.pem');
  await writeFile(keyFile, serverKey);
  await writeFile(otherKeyFile, pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey));
  await using ledger = await EmbeddedLedger.start({
    signingKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  });
  stores = [join(folder, 'one.db'), join(folder, 'two.db')];
  const [one, two] = stores.map(
    (store) =>
      new ImmuClient({
        address: ledger.address,
        store,
        serverPublicKey: serverKey,
        credentials: { user: 'immudb', password: 'immudb' },
      }),
  ) as [ImmuClient, ImmuClient];
  for (let i = 1; i <= 3; i++) await one.verifiedSet(`k${i}`, `v${i}`);
  await two.verifiedGet('k3');
  for (let i = 4; i <= 8; i++) await one.verifiedSet(`k${i}`, `v${i}`);
  const fork = ledger.lie({ kind: 'fork', at: 4n });
  await two.verifiedGet('k8');
  fork.stop();
  // An answer that is refused, with its signature.
  ledger.lie({ kind: 'swap-value', methods: ['VerifiableGet'] });
  await one.verifiedGet('k3').catch(() => null);
  await one.close();
  await two.close();
});

const rootAt = async (store: string, tx: bigint): Promise<AuditRow> =>
  (await rowsIn(store)).find((row) => row.outcome === 'root' && row.tx === tx)!;
const refusalIn = async (store: string): Promise<AuditRow> =>
  (await rowsIn(store)).find((row) => row.outcome === 'failure')!;

async function exported(store: string, { seq }: AuditRow): Promise<string> {
  const file = join(folder, `${String(Math.random()).slice(2)}.json`);
  expect((await call(['evidence', 'export', seq.toString(), '--store', store, '--out', file])).code).toBe(0);
  return file;
}

describe('made of honest answers, signed by the server, by somebody who wants to blame it', () => {
  const invented: [string, (evidence: Evidence) => Evidence][] = [
    [
      'a byte of the answer changed',
      ({ job }) => {
        const { question, context, answer } = unpackJob(job);
        const other = Uint8Array.from(answer);
        other[other.length - 1]! ^= 1;
        return failing({ question, context, answer: other });
      },
    ],
    [
      'another question',
      ({ job }) => {
        const { context, answer } = unpackJob(job);
        return failing({ question: { kind: 'get', key: new TextEncoder().encode('k4') }, context, answer });
      },
    ],
    [
      'another trusted root',
      ({ job }) => {
        const { question, context, answer } = unpackJob(job);
        const head = { tx: context.head!.tx, alh: new Uint8Array(32).fill(1) };
        return failing({ question, context: { ...context, head }, answer });
      },
    ],
  ];

  /** What an honest log would have of it, were it true. */
  function failing(job: Parameters<typeof packJob>[0]): Evidence {
    const verdict = check(job);
    if (verdict.ok) throw new Error('it holds');
    const { check: name, expected, computed } = verdict.refuted;
    return {
      check: name,
      ...(expected !== undefined && { expected }),
      ...(computed !== undefined && { computed }),
      job: packJob(job),
    };
  }

  test.for(invented)('%s: the check fails, and nobody is blamed', async ([, change]) => {
    const refusal = await refusalIn(stores[0]!);
    const { hash, seq, ...row } = refusal;
    expect(hash).toHaveLength(32);
    const evidence = change(refusal.evidence!);
    const previousHash = new Uint8Array(32).fill(5);
    const made = { ...row, seq, evidence, hash: rowHash(previousHash, seq, row, evidenceHash(evidence)) };
    const file = join(folder, 'invented.json');
    await writeFile(file, formatEvidenceFile({ row: made, previousHash }));
    const { code, stdout } = await call(['evidence', 'verify', file, '--server-key', keyFile]);
    expect(stdout).toContain('reproduced: these bytes fail');
    expect(stdout).toMatch(/^row hash +intact/m);
    expect(stdout).toMatch(/^against +nobody: /m);
    expect(code).toBe(1);
  });

  test('two invented rows that contradict each other: they are of no log', async () => {
    const root = await rootAt(stores[0]!, 8n);
    const previousHash = new Uint8Array(32);
    const rowOf = (fields: Partial<AuditRow>) => {
      const { hash, evidence, signature, ...row } = { ...root, ...fields };
      expect([hash.length, signature === undefined]).toEqual([32, false]);
      const body = { ...row, ...(evidence && { evidence }) };
      return { ...body, hash: rowHash(previousHash, row.seq, body, evidence && evidenceHash(evidence)) };
    };
    const alh = new Uint8Array(32).fill(9);
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const evidence = {
      check: 'log.fork',
      expected: hex(root.alh),
      computed: hex(alh),
      job: new Uint8Array(0),
    };
    const file = join(folder, 'two-rows.json');
    const contradicted = { row: rowOf({}), previousHash };
    const row = rowOf({ alh, outcome: 'fork', evidence });
    await writeFile(file, formatEvidenceFile({ row, previousHash, contradicted }));
    const { code, stdout } = await call(['evidence', 'verify', file, '--server-key', keyFile]);
    expect(stdout).toContain('confirmed');
    expect(stdout).toMatch(/^against +nobody: /m);
    expect(code).toBe(1);
  });
});

describe('a row of a log', () => {
  test('at hand, or by its hash, or by a checkpoint of it: the log says so', async () => {
    const store = stores[0]!;
    const row = await refusalIn(store);
    const seq = row.seq.toString();
    expect((await call(['evidence', 'verify', seq, '--store', store])).stdout).toMatch(
      /^against +the log: row \d+ of .*one\.db\./m,
    );
    const file = await exported(store, row);
    const checkpoint = join(folder, 'checkpoint.json');
    expect((await call(['audit', 'checkpoint', '--store', store, '--out', checkpoint])).code).toBe(0);
    const held = await call(['evidence', 'verify', seq, '--store', store, '--checkpoint', checkpoint]);
    expect(held).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('held against the checkpoint') as string,
    });
    // The refusal is the newest row, so that the checkpoint has its hash.
    expect((await call(['evidence', 'verify', file, '--checkpoint', checkpoint])).code).toBe(0);
    const fields = JSON.parse(await readFile(checkpoint, 'utf8')) as Record<string, unknown>;
    for (const [change, exit] of [
      [{ hash: '00'.repeat(32) }, 3],
      [{ seq: '1' }, 1],
    ] as const) {
      await writeFile(checkpoint, JSON.stringify({ ...fields, ...change }));
      const { code, stdout } = await call(['evidence', 'verify', file, '--checkpoint', checkpoint]);
      expect([code, stdout]).toEqual([exit, expect.stringMatching(/^against +nobody: not /m)]);
      await expect(
        call(['evidence', 'verify', seq, '--store', store, '--checkpoint', checkpoint]),
      ).rejects.toThrow(/row/);
    }
  });

  test.for([
    ['--row-hash', 'abc'],
    ['--row-hash', 'x'.repeat(64)],
  ])('%s %s: refused', async (words) => {
    const seq = (await refusalIn(stores[0]!)).seq.toString();
    await expect(call(['evidence', 'verify', seq, '--store', stores[0]!, ...words])).rejects.toThrow(
      '64 hex',
    );
  });
});

describe('two signatures of one key', () => {
  test('over one transaction with two hashes: the holder of the key, offline, from two files', async () => {
    const [one, two] = [await rootAt(stores[0]!, 8n), await rootAt(stores[1]!, 8n)];
    expect(Buffer.from(one.alh).equals(two.alh)).toBe(false);
    const files = [await exported(stores[0]!, one), await exported(stores[1]!, two)];
    const { code, stdout } = await call(['evidence', 'verify', ...files, '--server-key', keyFile]);
    expect(stdout).toMatch(
      /^against +the holder of the key SHA-256 [0-9a-f]{64}: signed tx 8 of defaultdb with/m,
    );
    expect(code).toBe(0);
    // A refused answer has the signature of its root, and names the key.
    const refusal = await exported(stores[0]!, await refusalIn(stores[0]!));
    expect((await call(['evidence', 'verify', refusal, files[1]!])).code).toBe(0);
    expect(await call(['evidence', 'verify', '1', files[1]!, '--store', stores[0]!]).catch(String)).toContain(
      'no evidence',
    );
  });

  test('of another key, over one history, over other transactions, changed: nobody', async () => {
    const [one, two] = [await rootAt(stores[0]!, 8n), await rootAt(stores[1]!, 8n)];
    const [first, second] = [await exported(stores[0]!, one), await exported(stores[1]!, two)];
    const earlier = await exported(stores[0]!, await rootAt(stores[0]!, 7n));
    const verify = async (...words: string[]) => {
      const { code, stdout } = await call(['evidence', 'verify', ...words]);
      expect(stdout).toMatch(code === 0 ? /^against +the holder/m : /^against +nobody/m);
      return code;
    };
    expect(await verify(first, second, '--server-key', keyFile)).toBe(0);
    expect(await verify(first, second, '--server-key', otherKeyFile)).toBe(1);
    expect(await verify(first, second)).toBe(1);
    expect(await verify(first, first, '--server-key', keyFile)).toBe(1);
    expect(await verify(earlier, second, '--server-key', keyFile)).toBe(1);
    const fields = JSON.parse(await readFile(second, 'utf8')) as Record<string, unknown>;
    for (const change of [
      { alh: '00'.repeat(32) },
      { database: 'other' },
      { tx: '7' },
      { signature: '00' },
    ]) {
      await writeFile(second, JSON.stringify({ ...fields, ...change }));
      expect(await verify(first, second, '--server-key', keyFile)).toBe(1);
    }
  });

  test('from code', async () => {
    const spki = new Uint8Array(Buffer.from(serverKey.split('\n').slice(1, -2).join(''), 'base64'));
    const [one, two] = [await rootAt(stores[0]!, 8n), await rootAt(stores[1]!, 8n)];
    const shown = [one, two].map(({ database, tx, alh, signature }) => ({
      database,
      tx,
      alh,
      signature: signature!,
    }));
    expect(signedContradiction(shown, spki)).toMatchObject({ database: 'defaultdb', tx: 8n });
    expect(signedContradiction([shown[0]!], spki)).toBe(undefined);
    expect(signedContradiction([shown[0]!, (await refusalIn(stores[0]!)).evidence!], spki)).toBe(undefined);
    expect(signedContradiction([shown[1]!, (await refusalIn(stores[0]!)).evidence!])).toMatchObject({
      tx: 8n,
    });
  });
});
