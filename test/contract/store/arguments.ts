// Arguments that are refused, by name.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AuditEntry, AuditOutcome, RootStore } from '#dist/store/root-store.js';
import { alh, entry, event, refusal, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const MAX = 2n ** 63n - 1n;

export function badArguments(open: OpenStore): void {
  describe('bad arguments', () => {
    const hostile: [string, unknown][] = [
      ['server', undefined],
      ['database', 5],
      ['database', 'lone \udc00'],
      ['operation', null],
      ['clientId', Symbol('x')],
      ['detail', 7],
      ['tx', 1],
      ['tx', -1n],
      ['tx', MAX + 1n],
      ['previousTx', undefined],
      ['previousTx', MAX + 1n],
      ['headerTime', 1.5],
      ['headerTime', MAX + 1n],
      ['alh', 'ab'.repeat(32)],
      ['alh', new Uint8Array(31)],
      ['alh', new Uint16Array(32)],
      ['calls', 2 ** 32],
      ['calls', 0.5],
      ['calls', 1n],
      ['verifiedAt', Infinity],
      ['verifiedAt', new Date()],
      ['durationMs', NaN],
      ['durationMs', -1],
      ['signature', 'sig'],
      ['keyFingerprint', [1, 2]],
      ['outcome', 'success'],
      ['outcome', () => 'root'],
      ['evidence', 'none'],
      ['evidence.check', { check: 5, job: new Uint8Array(1) }],
      ['evidence.job', { check: 'c', job: 'bytes' }],
      ['evidence.expected', { check: 'c', expected: 5, job: new Uint8Array(1) }],
    ];

    it('refuses an entry that cannot be stored as it is, and names the field', async () => {
      const store = await open();
      for (const [argument, value] of hostile) {
        const field = argument.split('.')[0]!;
        const bad = { ...event(1n), [field]: value };
        const calls: [AuditOutcome, (e: AuditEntry) => Promise<unknown>][] = [
          ['root', (e) => store.advance(null, e)],
          ['calls', (e) => store.record(e)],
          ['forget', (e) => store.forget(e)],
        ];
        for (const [outcome, call] of calls) {
          const error = await refusal(call(field === 'outcome' ? bad : { ...bad, outcome }));
          expect(error, inspect([argument, value])).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
        }
      }
      expect(await rows(store)).toHaveLength(0);
    });

    it('refuses outcomes that would make heads and log disagree', async () => {
      const store = await open();
      for (const outcome of ['root', 'first-use', 'pinned', 'forget'] as const) {
        expect(await refusal(store.record(entry(1n, { outcome })))).toMatchObject({ argument: 'outcome' });
      }
      for (const outcome of ['calls', 'failure', 'forget'] as const) {
        const error = await refusal(store.advance(null, entry(1n, { outcome })));
        expect(error).toMatchObject({ argument: 'outcome' });
      }
      expect(await refusal(store.forget(entry(1n)))).toMatchObject({ argument: 'outcome' });
    });

    const badCalls: [string, (store: RootStore) => Promise<unknown>][] = [
      ['entry', (store) => store.record(null as never)],
      ['key', (store) => store.head(null as never)],
      ['key', (store) => store.head('defaultdb' as never)],
      ['database', (store) => store.head({ server: 's' } as never)],
      ['server', (store) => store.head({ server: () => 's', database: 'd' } as never)],
      ['expected', (store) => store.advance(undefined as never, entry(1n))],
      ['expected', (store) => store.advance({ tx: 1, alh: alh(1n) } as never, entry(2n))],
      ['expected', (store) => store.advance({ tx: 1n, alh: new Uint8Array(3) }, entry(2n))],
      ['address', (store) => store.identity(7 as never)],
      ['address', (store) => store.bindIdentity(null as never, 's')],
      ['server', (store) => store.bindIdentity('a', undefined as never)],
      ['server', (store) => store.rebindIdentity('a', (() => 's') as never)],
    ];
    it('refuses other arguments of a wrong kind, and names them', async () => {
      const store = await open();
      for (const [argument, call] of badCalls) {
        const error = await refusal(call(store));
        expect(error, call.toString()).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
      }
    });
  });
}
