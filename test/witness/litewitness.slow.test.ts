// Published heads with a witness that others have written, and notes with Go's own library for them.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { originKey, verifyCheckpointNote } from '#dist/audit.js';
import type { QuorumError } from '#dist/index.js';
import { H } from '../reference/rfc6962.js';
import { describeServer } from '../support/real.js';
import { hasGo } from '../support/server-binary.js';
import { openClient, rejection, rowsOf } from '../trust/support.js';
import { goNotes, startLitewitness } from './litewitness.js';
import { logKey } from './witness-server.js';

const MINUTES = 60_000;
const ORIGIN = 'immu-ts.example/billing';

interface Opened {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly text: boolean;
  readonly signed: number;
  readonly times: Readonly<Record<string, number>>;
}

describe.skipIf(!(await hasGo()))('with the Go ecosystem', () => {
  describeServer('litewitness', () => {
    test(
      'cosigns every head of a history, around powers of two; refuses a fork and a rollback',
      async () => {
        const { key, url, addLog } = await startLitewitness('witness.example');
        const log = logKey(ORIGIN);
        addLog(ORIGIN, log.vkey);
        const options = { origin: ORIGIN, key: log.privateKey, witnesses: [{ url, key }] };
        const { client, store } = await openClient();
        const startedAt = BigInt(Math.floor(Date.now() / 1000));
        const sizes: bigint[] = [];
        for (const size of [1n, 2n, 3n, 4n, 5n, 8n, 13n, 16n, 31n, 32n, 33n, 33n]) {
          while ((await client.verifiedSet('key', randomUUID())).tx <= size);
          const { note, size: published, root, witnesses } = await client.publishHead(options);
          sizes.push(published);
          expect(witnesses).toMatchObject([{ status: 'cosigned', name: 'witness.example' }]);
          const verdict = verifyCheckpointNote(note, { log: log.vkey, witnesses: [key] });
          if (!verdict.ok) throw new Error(verdict.finding);
          expect(verdict.checkpoint).toEqual({ origin: ORIGIN, size: published, root });
          expect(verdict.cosigned[0]!.time - startedAt).toBeGreaterThanOrEqual(0n);
          // Go reads the same in it.
          const opened = await goNotes<Opened>(['open', log.vkey], note);
          expect(opened).toEqual({
            ...{ origin: ORIGIN, size: Number(published), root: Buffer.from(root).toString('base64') },
            ...{ text: true, signed: 1, times: { 'witness.example': Number(verdict.cosigned[0]!.time) } },
          });
        }
        expect(sizes).toEqual([1n, 2n, 3n, 4n, 5n, 8n, 13n, 16n, 31n, 32n, 33n, 34n]);
        // The same once more: nothing was written meanwhile.
        expect(await client.publishHead(options)).toMatchObject({
          size: 34n,
          witnesses: [{ status: 'cosigned' }],
        });
        const { client: forked } = await openClient();
        while ((await forked.verifiedSet('key', randomUUID())).tx < 60n);
        const fork = (await rejection(forked.publishHead(options))) as unknown as QuorumError;
        expect(fork.published.witnesses).toMatchObject([{ status: 'refused', reason: 'fork' }]);
        const { client: rolledBack, store: log2 } = await openClient();
        while ((await rolledBack.verifiedSet('key', randomUUID())).tx < 20n);
        const rollback = (await rejection(rolledBack.publishHead(options))) as unknown as QuorumError;
        expect(rollback.published.witnesses).toMatchObject([{ status: 'refused', reason: 'withheld' }]);
        expect(await rowsOf(log2, { outcome: 'rollback' })).toHaveLength(1);
        const stranger = { ...options, origin: 'stranger.example' };
        const unknown = (await rejection(client.publishHead(stranger))) as unknown as QuorumError;
        expect(unknown.published.witnesses).toMatchObject([{ status: 'refused', reason: 'unknown-log' }]);
        // The witness stands where it stood.
        await client.verifiedSet('key', randomUUID());
        expect(await client.publishHead(options)).toMatchObject({ witnesses: [{ status: 'cosigned' }] });
        expect(await rowsOf(store, { outcome: 'fork' })).toEqual([]);
      },
      5 * MINUTES,
    );
  });

  test(
    'checkpoints that Go makes and cosigns are read, of every kind of size',
    async () => {
      const { secret, public: log } = await goNotes<{ secret: string; public: string }>(['keys', ORIGIN]);
      for (const size of [1n, 2n, 1000n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
        const root = H(Buffer.from(size.toString()));
        const tree = `{"Size":${size},"Root":"${Buffer.from(root).toString('base64')}"}`;
        const { note, witness } = await goNotes<{ note: string; witness: string }>(['sign', secret], tree);
        const verdict = verifyCheckpointNote(note, { log, witnesses: [witness] });
        expect(verdict).toMatchObject({ ok: true, checkpoint: { origin: ORIGIN, size, root } });
        const other = (await goNotes<{ public: string }>(['keys', ORIGIN])).public;
        expect(verifyCheckpointNote(note, { log: other, witnesses: [witness] }).ok).toBe(false);
      }
    },
    5 * MINUTES,
  );

  test(
    'a secret key as Go writes it signs as it does there',
    async () => {
      const { secret, public: log } = await goNotes<{ secret: string; public: string }>(['keys', ORIGIN]);
      expect(originKey(ORIGIN, secret)).toBe(log);
    },
    5 * MINUTES,
  );
});
