// Checkpoints: their bytes as documented, their signatures, and what verify finds by them.
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkpointBytes, checkpointHash, parseCheckpoint, verifyCheckpoint } from '#dist/audit.js';
import type { Checkpoint } from '#dist/index.js';
import type { RootStore } from '#dist/store/root-store.js';
import { KEY, alh, climb, entry, refusal } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const number = (bytes: number, value: number | bigint) =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  );
const text = (value: string) => Buffer.concat([number(4, Buffer.byteLength(value)), Buffer.from(value)]);

/** The documented form, written down a second time. */
function expectedBytes({ storeId, seq, hash, time, heads, identities }: Checkpoint): Buffer {
  return Buffer.concat([
    Buffer.from('immu-ts checkpoint'),
    number(1, 1),
    storeId,
    number(8, seq),
    hash,
    number(8, time),
    number(4, heads.length),
    ...heads.flatMap(({ server, database, tx, alh }) => [text(server), text(database), number(8, tx), alh]),
    number(4, identities.length),
    ...identities.flatMap(({ address, server }) => [text(address), text(server)]),
  ]);
}

/** With heads, one that was forgotten, and identities. */
export async function filled(store: RootStore): Promise<RootStore> {
  await store.bindIdentity('b:1', 'server-1');
  await store.bindIdentity('a:1', 'sérvér 🗄');
  await climb(store, 0, 3);
  await store.advance(null, entry(7n, { database: 'another' }));
  await store.advance(null, entry(8n, { database: 'forgotten' }));
  await store.forget(entry(8n, { database: 'forgotten', outcome: 'forget' }));
  return store;
}

export function checkpoints(open: OpenStore): void {
  describe('a checkpoint', () => {
    it('commits to the newest row, the heads and the identities, in the documented bytes', async () => {
      const store = await filled(await open());
      const made = await store.audit.checkpoint();
      expect(made).toMatchObject({
        seq: 8n,
        hash: (await store.audit.row(8n))?.hash,
        heads: [
          { server: KEY.server, database: 'another', tx: 7n, alh: alh(7n) },
          { ...KEY, tx: 3n, alh: alh(3n) },
        ],
        identities: [
          { address: 'a:1', server: 'sérvér 🗄' },
          { address: 'b:1', server: 'server-1' },
        ],
      });
      expect(Buffer.from(checkpointBytes(made))).toEqual(expectedBytes(made));
      const hash = createHash('sha256').update(expectedBytes(made)).digest();
      expect(Buffer.from(checkpointHash(made))).toEqual(hash);
      expect(parseCheckpoint(checkpointBytes(made))).toEqual(made);
      expect(made).not.toHaveProperty('signature');
      expect(await store.audit.checkpoints()).toEqual([made]);
    });

    it('can be of a log without rows', async () => {
      const store = await open();
      const made = await store.audit.checkpoint();
      expect(made).toMatchObject({ seq: 0n, heads: [], identities: [] });
      expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, checkpoints: 1 });
      await climb(store, 0, 2);
      expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, rows: 2n });
    });

    it.each([
      ['Ed25519', ed25519],
      ['ECDSA P-256', p256],
    ])(
      'is signed by %s, verified offline, and by others than us',
      async (_kind, { privateKey, publicKey }) => {
        const store = await filled(await open());
        const made = await store.audit.checkpoint({ key: privateKey });
        expect(verifyCheckpoint(made, publicKey)).toEqual({ ok: true });
        const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
        const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
        expect(verify(digest, checkpointBytes(made), pem, made.signature!)).toBe(true);
        expect(await store.audit.checkpoints()).toEqual([made]);
        // As it comes back from wherever its bytes and signature were kept.
        const { signature, keyFingerprint } = made;
        const kept = parseCheckpoint(checkpointBytes(made), {
          signature: signature!,
          keyFingerprint: keyFingerprint!,
        });
        expect(verifyCheckpoint(kept, pem)).toEqual({ ok: true });
        const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
        expect(verifyCheckpoint(await store.audit.checkpoint({ key: privatePem }), publicKey).ok).toBe(true);
      },
    );

    it('is not verified when anything in it was edited', async () => {
      const store = await filled(await open());
      const made = await store.audit.checkpoint({ key: p256.privateKey });
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const edits: Partial<Checkpoint>[] = [
        { storeId: new Uint8Array(16) },
        { seq: 7n },
        { hash: new Uint8Array(32) },
        { time: made.time + 1 },
        { heads: made.heads.slice(1) },
        { heads: made.heads.map((head) => ({ ...head, tx: head.tx + 1n })) },
        { heads: made.heads.map((head) => ({ ...head, alh: new Uint8Array(32) })) },
        { identities: [] },
        { identities: made.identities.map(({ address }) => ({ address, server: 'mine' })) },
        { signature: made.signature!.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) },
        { signature: new Uint8Array(0) },
        { keyFingerprint: new Uint8Array(32) },
      ];
      for (const change of edits) {
        const verdict = verifyCheckpoint({ ...made, ...change }, p256.publicKey);
        expect(verdict, Object.keys(change).join()).toMatchObject({ ok: false });
      }
      const unsigned = parseCheckpoint(checkpointBytes(made));
      expect(verifyCheckpoint(unsigned, p256.publicKey)).toMatchObject({ ok: false });
      expect(verifyCheckpoint(made, other.publicKey)).toMatchObject({ ok: false });
      expect(verifyCheckpoint(made, ed25519.publicKey)).toMatchObject({ ok: false });
    });

    it('is held against the log, whatever came later', async () => {
      const store = await filled(await open());
      const made = await store.audit.checkpoint();
      expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, checkpoints: 1 });
      await store.advance({ tx: 3n, alh: alh(3n) }, entry(4n));
      expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true });
      const edits: Partial<Checkpoint>[] = [
        { hash: new Uint8Array(32) },
        { seq: 3n },
        { seq: 99n },
        { storeId: new Uint8Array(16) },
        { heads: [] },
        { identities: [] },
        { heads: made.heads.map((head) => ({ ...head, alh: new Uint8Array(32) })) },
      ];
      for (const change of edits) {
        const verdict = await store.audit.verify({ checkpoint: { ...made, ...change } });
        expect(verdict, Object.keys(change).join()).toMatchObject({ ok: false });
        expect(verdict.ok ? '' : verdict.finding).not.toBe('');
      }
    });

    it('refuses keys and checkpoints that are none', async () => {
      const store = await open();
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
      for (const key of [rsa.privateKey, ed25519.publicKey, 'no pem', 5]) {
        expect(await refusal(store.audit.checkpoint({ key: key as never }))).toMatchObject({
          argument: 'key',
        });
      }
      const made = await store.audit.checkpoint({ key: ed25519.privateKey });
      for (const key of [rsa.publicKey, 'no pem', null]) {
        expect(() => verifyCheckpoint(made, key as never)).toThrow(/publicKey/);
      }
      expect(() => checkpointBytes({ ...made, hash: new Uint8Array(3) })).toThrow(/checkpoint\.hash/);
      expect(() => checkpointBytes({ ...made, heads: [null] as never })).toThrow(/checkpoint\.heads/);
      const wrong = store.audit.verify({ checkpoint: { ...made, seq: 1 as never } });
      expect(await refusal(wrong)).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await refusal(store.audit.checkpoints({ limit: -1 }))).toMatchObject({ argument: 'limit' });
    });
  });
}
