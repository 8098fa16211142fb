// What somebody does to a store behind its back is found: by verify, by opening it, or by the next append.
import { expect, it } from 'vitest';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { describePostgres, sharedPostgres } from '../../support/postgres.js';
import { alh, climb, closing, entry, event, refusal } from '../support.js';
import { newPostgresStore } from './support.js';

/** A store of 300 rows, some with evidence, in its schema. */
async function filled(more = 0) {
  const server = await sharedPostgres();
  const schema = server.newSchema();
  const store = await newPostgresStore({ schema });
  await climb(store, 0, 3);
  await store.bindIdentity('a:1', 'server-1');
  await store.record(event(2n, { outcome: 'failure', evidence: { check: 'c', job: new Uint8Array(9) } }));
  await Promise.all(Array.from({ length: 300 }, (_, i) => store.record(event(3n, { detail: String(i) }))));
  // Bounds and sums are kept of many rows at once.
  await Promise.all(Array.from({ length: more }, () => store.record(event(3n))));
  await store.audit.checkpoint();
  const rows = BigInt(305 + more);
  expect(await store.audit.verify()).toMatchObject({ ok: true, rows });
  const sql = (text: string) => server.sql(`SET search_path = ${schema}; ${text}`);
  const open = async (options = {}) =>
    closing(await PostgresRootStore.open(server.url(), { schema, ...options }));
  return { server, schema, store, sql, open };
}

describePostgres('a change behind the back of a store', () => {
  it.for([
    ['a tx', 'UPDATE audit SET tx = 9 WHERE seq = 100', 100n, 'the row was changed'],
    ['a time', 'UPDATE audit SET verified_at = verified_at + 1 WHERE seq = 305', 305n, 'the row was changed'],
    ['a detail', `UPDATE audit SET detail = 'x' WHERE seq = 100`, 100n, 'the row was changed'],
    ['a hash', `UPDATE audit SET hash = sha256(hash) WHERE seq = 100`, 100n, 'the row was changed'],
    ['a kind of rows', `UPDATE kind SET operation = 'other'`, 1n, 'the row was changed'],
    ['a row that is gone', 'DELETE FROM audit WHERE seq = 100', 100n, 'missing'],
    ['the newest rows that are gone', 'DELETE FROM audit WHERE seq > 300', 301n, 'missing'],
    [
      'the newest rows that are gone, and what says that they were there',
      'DELETE FROM audit WHERE seq > 300; UPDATE store SET rows = 300, hash = (SELECT hash FROM audit WHERE seq = 300)',
      301n,
      'missing',
    ],
    ['a head', 'UPDATE head SET tx = 2', 305n, 'the head of defaultdb'],
    ['an identity', `UPDATE identity SET server = 'other'`, 305n, 'the identity'],
    ['evidence', `UPDATE evidence SET failed_check = 'other'`, 5n, 'evidence'],
    ['bytes of evidence', `UPDATE evidence_blob SET bytes = 'x'`, 5n, 'evidence'],
    ['evidence that is gone', 'DELETE FROM evidence', 5n, 'evidence'],
    ['a checkpoint', `UPDATE checkpoint SET bytes = 'x'`, 305n, 'checkpoint'],
  ] as const)('is found by verify: %s', async ([, change, seq, words]) => {
    const { store, sql } = await filled();
    await sql(change);
    const verdict = await store.audit.verify();
    expect(verdict).toMatchObject({ ok: false, seq });
    expect(verdict.ok ? '' : verdict.finding).toContain(words);
  });

  it.for([
    ['bounds', 'UPDATE zone SET tx_max = tx_min - 1', 'bounds'],
    ['sums', 'UPDATE hour SET rows = rows + 1', 'statistics'],
  ] as const)('is found by verify: %s kept for queries', async ([, change, words]) => {
    const { store, sql } = await filled(4000);
    await sql(change);
    const verdict = await store.audit.verify();
    expect(verdict.ok ? '' : verdict.finding).toContain(words);
  });

  it.for([
    [
      'a trigger',
      'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$; CREATE TRIGGER t BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION f()',
      'trigger t',
    ],
    ['a rule', 'CREATE RULE r AS ON UPDATE TO head DO INSTEAD NOTHING', 'rule r'],
    ['row security', 'ALTER TABLE audit ENABLE ROW LEVEL SECURITY', 'audit'],
    ['a table that is not logged', 'ALTER TABLE audit SET UNLOGGED', 'audit'],
    [
      'a function',
      `CREATE OR REPLACE FUNCTION fill_blocks(p_first int8, p_last int8) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'`,
      'fill_blocks',
    ],
    ['a column', 'ALTER TABLE head ADD COLUMN more int4', 'head'],
    ['an index', 'DROP INDEX audit_by_tx', 'audit_by_tx'],
    ['a table', 'DROP TABLE evidence', 'evidence'],
    ['the newest row', 'UPDATE audit SET calls = 7 WHERE seq = 305', 'row 305'],
    ['a head', 'UPDATE head SET tx = 2', 'head'],
  ] as const)('is refused at the next opening: %s', async ([, change, words]) => {
    const { sql, open } = await filled();
    await sql(change);
    const error = await refusal(open());
    expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
    expect(error.message).toContain(words);
  });

  it('a restored older state is said by the next append, and by the next opening that knows better', async () => {
    const { store, sql, open, server, schema } = await filled();
    const { newest } = store;
    const cut = `DELETE FROM audit WHERE seq > 300; DELETE FROM checkpoint;
      UPDATE store SET rows = 300, hash = (SELECT hash FROM audit WHERE seq = 300)`;
    await sql(cut);
    for (const call of [store.record(event(1n)), store.advance({ tx: 3n, alh: alh(3n) }, entry(4n))]) {
      const error = await refusal(call);
      expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
      expect(error.message).toContain('an older state');
    }
    // It holds by itself: only who knows of later rows can tell.
    const reopened = await open();
    expect(await refusal(open({ notBefore: newest }))).toMatchObject({ code: 'STORE_DAMAGED' });
    // Rows of another history in the place of those that are gone.
    for (let i = 0; i < 10; i++) await reopened.record(event(1n));
    expect(await refusal(store.record(event(1n)))).toMatchObject({ code: 'STORE_DAMAGED' });
    const verdict = await store.audit.verify();
    expect(verdict).toMatchObject({ ok: false, seq: newest.seq });
    // After a new connection too.
    await server.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'immu-ts%'`,
    );
    expect(await refusal(store.head(entry(1n)))).toMatchObject({ code: 'STORE_DAMAGED' });
    expect(schema).not.toBe('');
  });

  it('a schema that was dropped is no fresh start where the id is known', async () => {
    const { store, server, schema, open } = await filled();
    const { storeId } = store;
    await store.close();
    await server.sql(`DROP SCHEMA ${schema} CASCADE`);
    expect(await refusal(open({ storeId }))).toMatchObject({ code: 'STORE_MISSING' });
    expect(await refusal(open({ create: 'never' }))).toMatchObject({ code: 'STORE_MISSING' });
    await open();
    expect(await refusal(open({ storeId }))).toMatchObject({ code: 'STORE_FOREIGN' });
  });

  it('a schema that was dropped under a store that is open is said', async () => {
    const { store, server, schema } = await filled();
    await server.sql(`DROP SCHEMA ${schema} CASCADE`);
    expect((await refusal(store.record(event(1n)))).code).toMatch(/^STORE_(DAMAGED|MISSING)$/);
    await server.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'immu-ts%'`,
    );
    expect(await refusal(store.head(entry(1n)))).toMatchObject({ code: 'STORE_MISSING' });
  });
});
