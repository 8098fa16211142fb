// `immu-ts proof verify`: what it says of documents that hold, do not hold, and are none; and with which exit code.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeProof } from '#dist/verify/portable/make.js';
import { ABC, HEAD, chain } from '../verify/support/scene.js';
import { DATABASE, bytesOf, signingKey, spki } from '../verify/support/test-chain.js';
import { run, temporaryFolder } from './run.js';

const root = chain.root(HEAD);
const alh = Buffer.from(root.alh).toString('hex');
const stored = chain.tx(ABC).entries[0]!;
const proof = makeProof(
  { server: 'the-server', database: DATABASE, entries: [{ rawKey: stored.key, rawValue: stored.value }] },
  bytesOf('tx', chain.verifiableTx(ABC, HEAD, { key: signingKey })),
);
const trusted = { tx: root.tx.toString(), alh };
const head = { ...trusted, server: 'the-server', database: DATABASE };

describe('immu-ts proof verify', () => {
  let folder: string;
  const files: Record<string, string> = {};
  beforeAll(() => {
    const pem = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    Object.assign(files, {
      'proof.json': JSON.stringify(proof),
      'lied.json': JSON.stringify({ ...proof, header: { ...proof.header, ts: '5' } }),
      'newer.json': JSON.stringify({ ...proof, version: 2 }),
      'text.json': 'hello',
      'root.json': JSON.stringify(trusted),
      'other.json': JSON.stringify({ ...head, database: 'another' }),
      'checkpoint.json': JSON.stringify({ heads: [{ ...head, database: 'another', tx: '1' }, head] }),
      'none.json': JSON.stringify({ heads: [] }),
      'key.pem': pem.export({ type: 'spki', format: 'pem' }),
    });
  });

  const verify = async (...args: string[]) => {
    folder = await temporaryFolder();
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return run(['proof', 'verify', ...args], { cwd: folder });
  };

  test('a proof that holds: what it proves, under which root', async () => {
    const { code, stdout, stderr } = await verify('proof.json', '--root', `${HEAD}:${alh}`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`holds        under the root at tx 25, ${alh}\n`);
    expect(stdout).toContain('entries      1 of 3\n');
    expect(stdout).toContain('key "a" = "1"');
    const own = await verify('proof.json');
    expect([own.code, own.stdout]).toEqual([
      0,
      expect.stringContaining('compare it with one that you trust'),
    ]);
  });

  test('as JSON', async () => {
    const { code, stdout } = await verify(
      'proof.json',
      '--root',
      'root.json',
      '--server-key',
      'key.pem',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ holds: true, tx: `${ABC}`, entryCount: 3, signed: true, root: trusted },
      entries: [{ kind: 'key', key: 'AGE=', value: 'ADE=' }],
    });
    const lied = await verify('lied.json', '--json');
    expect([lied.code, JSON.parse(lied.stdout)]).toMatchObject([
      3,
      { holds: false, check: 'dual-proof.inclusion' },
    ]);
  });

  test.for([
    ['a root in a file', 0, ['proof.json', '--root', 'root.json']],
    ['a checkpoint', 0, ['proof.json', '--root', 'checkpoint.json']],
    ['a changed proof', 3, ['lied.json']],
    ['another root', 3, ['proof.json', '--root', `${HEAD}:${'0'.repeat(64)}`]],
    ['a root of another database', 3, ['proof.json', '--root', 'other.json']],
    ['no proof of this release', 1, ['newer.json']],
    ['no JSON', 1, ['text.json']],
    ['another JSON', 1, ['root.json']],
    ['no such file', 1, ['missing.json']],
    ['no such root', 1, ['proof.json', '--root', 'missing.json']],
    ['a checkpoint without it', 1, ['proof.json', '--root', 'none.json']],
    ['no root', 1, ['proof.json', '--root', 'text.json']],
    ['no key', 1, ['proof.json', '--server-key', 'text.json']],
    ['no file named', 2, []],
    ['an unknown option', 2, ['proof.json', '--rot', 'x']],
  ] as const)('%s: exit code %i', async ([, expected, args]) => {
    const { code, stdout, stderr } = await verify(...args);
    expect([code, stdout, stderr]).toEqual([expected, expect.any(String), expect.any(String)]);
    if (expected === 3) expect([stdout.startsWith('does not hold: '), stderr]).toEqual([true, '']);
    if (expected === 1 || expected === 2)
      expect([stdout, stderr.startsWith('immu-ts: ')]).toEqual(['', true]);
  });
});
