// Evidence of format 1 as earlier releases kept it (record-evidence.ts): it is read and fails in the same way, for good.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import { check } from '#dist/verify/check.js';
import { KINDS } from '#dist/verify/kinds.js';
import { packJob, packedSize, unpackJob } from '#dist/verify/pack/packet.js';
import type { Refuted } from '#dist/verify/verifier.js';

type Recorded = Refuted & { readonly refused: string; readonly holds: string };

const FOLDER = new URL('../vectors/evidence-v1/', import.meta.url);
const names = readdirSync(FOLDER);
const bytesIn = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

/** Parts of jobs before the question: version, flags, head, clock, database, key. */
function tagOf(job: Uint8Array): number {
  const { context } = unpackJob(job);
  const key = context.publicKey ? 4 + context.publicKey.length : 0;
  return job[2 + (context.head ? 40 : 0) + 8 + 2 + context.database.length + key] as number;
}

describe.each(names)('%s', (name) => {
  const { refused, holds, ...refuted }: Recorded = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));

  it('is refused by the same check with the same terms', () => {
    const { check: failed, expected, computed } = refuted;
    const job = bytesIn(refused);
    const terms = {
      ...(expected !== undefined && { expected }),
      ...(computed !== undefined && { computed }),
    };
    expect(verifyEvidence({ check: failed, ...terms, job })).toEqual({
      outcome: 'reproduced',
      refuted,
      job: unpackJob(job),
    });
  });

  it('holds with the answer that held, and is no evidence then', () => {
    const job = bytesIn(holds);
    expect(check(unpackJob(job))).toMatchObject({ ok: true });
    expect(verifyEvidence({ check: refuted.check, job })).toMatchObject({ outcome: 'not-reproduced' });
  });

  it('is packed to the same bytes', () => {
    for (const packed of [refused, holds]) {
      const job = unpackJob(bytesIn(packed));
      expect(Buffer.from(packJob(job)).toString('hex')).toBe(packed);
      expect(packedSize(job)).toBe(packed.length / 2);
    }
  });
});

test('every question that there is is among them', () => {
  const tags = names.map((name) => {
    const { refused } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Recorded;
    return tagOf(bytesIn(refused));
  });
  expect(new Set(tags)).toEqual(new Set(KINDS.flatMap((kind) => kind.tags)));
});
