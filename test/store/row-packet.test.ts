// Rows as they travel to the store's thread: what comes out is what was put in.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry, AuditOutcome } from '#dist/store/root-store.js';
import type { RowRequest } from '#dist/store/log/requests.js';
import type { Numbered } from '#dist/store/sqlite/thread/numbered.js';
import { RowPacker, RowUnpacker } from '#dist/store/sqlite/thread/row-packet.js';
import { KEY, REQUIRED, alh, entry, event, newStore, rows } from './support.js';

const id64 = fc.bigInt(0n, 0x7fff_ffff_ffff_ffffn);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ maxLength: 8 });
const root = fc.record({ tx: id64, alh: hash });
const row: fc.Arbitrary<AuditEntry> = fc.record(
  {
    server: text,
    database: text,
    tx: id64,
    alh: hash,
    outcome: fc.constantFrom<AuditOutcome>('root', 'calls', 'forget'),
    previousTx: fc.option(id64),
    operation: text,
    calls: fc.nat(0xffff_ffff),
    headerTime: fc.bigInt(-0x7fff_ffff_ffff_ffffn, 0x7fff_ffff_ffff_ffffn),
    verifiedAt: fc.maxSafeInteger(),
    durationMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    clientId: text,
    signature: bytes,
    keyFingerprint: bytes,
    detail: text,
    evidence: fc.record({ check: text, job: bytes }),
  },
  { requiredKeys: [...REQUIRED] },
);
const request: fc.Arbitrary<RowRequest> = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), expected: fc.option(root), entry: row }),
  fc.record({ kind: fc.constantFrom('record' as const, 'forget' as const), entry: row }),
);

describe('a packet of rows', () => {
  it('gives back what was put in, over several packets', () => {
    fc.assert(
      fc.property(fc.array(fc.array(request, { maxLength: 40 }), { maxLength: 4 }), (packets) => {
        const packer = new RowPacker();
        const unpacker = new RowUnpacker();
        let id = 0;
        for (const requests of packets) {
          const sent: Numbered<RowRequest>[] = requests.map((each) => ({ id: (id += 1), request: each }));
          for (const each of sent) packer.add(each.id, each.request);
          expect(packer.rows).toBe(sent.length);
          expect(unpacker.unpack(structuredClone(packer.take()))).toEqual(sent);
          expect(packer.rows).toBe(0);
        }
      }),
    );
  });

  it('sends each name once, and forgets names when they are too many', () => {
    const packer = new RowPacker();
    const unpacker = new RowUnpacker();
    const send = (clientId: string) => {
      packer.add(1, { kind: 'record', entry: event(1n, { clientId, operation: `of ${clientId}` }) });
      const packet = packer.take();
      const [only] = unpacker.unpack(packet);
      expect(only?.request.entry).toMatchObject({ clientId, operation: `of ${clientId}` });
      return packet;
    };
    expect(send('a')).toMatchObject({ clients: ['a'], names: [{ operation: 'of a' }], anew: false });
    expect(send('a')).toMatchObject({ clients: [], names: [], anew: false });
    let anew = 0;
    for (let i = 0; i < 20_000; i++) if (send(`client ${i}`).anew) anew += 1;
    expect(anew).toBe(2);
    expect(send('a').clients).toEqual(['a']);
  });

  it('keeps a copy: what the caller changes afterwards changes nothing', async () => {
    const store = await newStore();
    const own = {
      alh: alh(1n),
      signature: new Uint8Array(70).fill(1),
      keyFingerprint: new Uint8Array(32).fill(2),
    };
    const job = new Uint8Array(9).fill(3);
    const moved = store.advance(null, entry(1n, { ...own, evidence: { check: 'c', job } }));
    const expected = { tx: 1n, alh: alh(1n) };
    const again = store.advance(expected, entry(2n));
    for (const each of [...Object.values(own), expected.alh, job]) each.fill(0);
    expect([await moved, await again]).toEqual([{ moved: true }, { moved: true }]);
    const [first] = await rows(store);
    expect(first).toMatchObject({
      alh: alh(1n),
      signature: new Uint8Array(70).fill(1),
      keyFingerprint: new Uint8Array(32).fill(2),
      evidence: { check: 'c', job: new Uint8Array(9).fill(3) },
    });
  });
});

describe('writes of one turn', () => {
  it('are done in the order in which they were asked for, whatever they are', async () => {
    const store = await newStore();
    const first = store.advance(null, entry(1n));
    const bound = store.bindIdentity('a:1', 'server-1');
    const counted = store.record(event(1n, { alh: alh(1n) }));
    const before = store.audit.checkpoint();
    const second = store.advance({ tx: 1n, alh: alh(1n) }, entry(2n));
    await Promise.all([first, bound, counted, second]);
    const all = await rows(store, { outcome: 'all' });
    expect(all.map(({ outcome }) => outcome)).toEqual(['root', 'identity', 'calls', 'root']);
    expect(await before).toMatchObject({ seq: 3n, heads: [{ ...KEY, tx: 1n }] });
    expect(store.diagnostics.commits).toBe(1);
  });
});
