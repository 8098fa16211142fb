// Proof documents of the client on a real immudb, checked by the packages that immudb's own Go client is made of.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { PortableProof } from '#dist/index.js';
import { describeReal } from '../support/real.js';
import { openWire, temporaryFolder } from '../trust/support.js';
import { addDocument, everyKind, grow } from '../txs/support.js';
import { goClient } from './toolchains.js';

const execute = promisify(execFile);
const go = await goClient();

describeReal(`proof documents and ${go.name}`, () => {
  it.skipIf(go.missing !== undefined)(
    'holds what immu-ts holds, and refuses what is changed',
    async () => {
      const [program] = await go.command();
      const folder = await temporaryFolder();
      let count = 0;
      const accepted = async (proof: unknown) => {
        const path = join(folder, `${count++}.json`);
        await writeFile(path, JSON.stringify(proof));
        return execute(program, ['-proof', path]).then(
          () => true,
          (error: unknown) => {
            expect((error as { stderr: string }).stderr).toMatch(/^not proven|digest/);
            return false;
          },
        );
      };
      const world = await everyKind();
      const { client } = world;
      await addDocument(world);
      const written = await client.verifiedSetAll({ x: '1', y: '2', z: '3' }, { includeProof: true });
      const grouped = await Promise.all(
        ['p', 'q', 'r'].map((key) => client.verifiedSet(key, 'v', { includeProof: true })),
      );
      await grow(await openWire(world.database), 20);
      const proofs: (PortableProof | undefined)[] = [written.proof, ...grouped.map(({ proof }) => proof)];
      const last = (await client.verifiedState()).tx;
      for (let tx = 1n; tx <= last; tx++)
        for (const entries of ['raw', 'digests'] as const)
          proofs.push((await client.verifiedTx(tx, { entries, includeProof: true }))?.proof);
      for (const key of ['a', 'y', 'q'])
        proofs.push((await client.verifiedGet(key, { includeProof: true }))?.proof);
      for (const proof of proofs) {
        expect(await accepted(proof)).toBe(true);
        const { header, entries } = proof as PortableProof;
        expect(await accepted({ ...proof, header: { ...header, ts: '5' } })).toBe(false);
        const lied = entries.map((entry, i) => (i === 0 ? { ...entry, key: 'AGxpZQ==' } : entry));
        expect(await accepted({ ...proof, entries: lied })).toBe(false);
      }
      expect(proofs.length).toBeGreaterThan(50);
    },
    600_000,
  );
});
