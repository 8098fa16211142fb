// Which servers, URLs and options a store takes, and what it says of those it refuses.
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { Postgres, describePostgres, sharedPostgres } from '../../support/postgres.js';
import { closing, entry, refusal } from '../support.js';
import { newPostgresStore } from './support.js';

const brief = { unavailableAfterMs: 200 };

describePostgres('a server', () => {
  it('with fsync = off is refused', async () => {
    const server = await Postgres.start(['fsync = off']);
    try {
      const error = await refusal(PostgresRootStore.open(server.url()));
      expect(error).toMatchObject({ code: 'STORE_FAILED' });
      expect(error.message).toContain('fsync = off');
    } finally {
      await server.stop();
    }
  });

  it('that loses fsync, or its standbys, later on is refused by the next append', async () => {
    const server = await Postgres.start();
    try {
      const store = closing(await PostgresRootStore.open(server.url()));
      await store.advance(null, entry(1n));
      await server.set('fsync = off');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await refusal(store.record(entry(1n, { outcome: 'calls' })))).toMatchObject({
        code: 'STORE_FAILED',
      });
    } finally {
      await server.stop();
    }
  });

  it('without a synchronous standby is refused where one is asked for', async () => {
    const server = await sharedPostgres();
    const error = await refusal(PostgresRootStore.open(server.url(), { durability: 'sync' }));
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(error.message).toContain('synchronous_standby_names');
  });

  it('that is a standby is refused, and passed over where the primary is named too', async () => {
    const primary = await Postgres.start([`synchronous_standby_names = ''`]);
    const standby = await primary.standby('other');
    try {
      const error = await refusal(PostgresRootStore.open(standby.url(), brief));
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(error.message).toContain('standby');
      const store = closing(await PostgresRootStore.open([standby.url(), primary.url()], { schema: 'both' }));
      expect(await store.advance(null, entry(1n))).toEqual({ moved: true });
    } finally {
      await standby.stop();
      await primary.stop();
    }
  }, 60_000);

  it('that does not answer is not waited for without end', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const url = `postgres://u:secret@127.0.0.1:${port}/d`;
    const error = await refusal(PostgresRootStore.open(url, { ...brief, answerTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(error.message).not.toContain('secret');
    silent.close();
  });

  it.for([
    ['nonsense', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a message without end', Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff])],
  ] as const)('that answers %s is not believed', async ([, answer]) => {
    const liar = createServer((socket) =>
      socket.on('error', () => undefined).on('data', () => socket.write(answer)),
    );
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const { port } = liar.address() as { port: number };
    const open = PostgresRootStore.open(`postgres://u@127.0.0.1:${port}/d`, {
      ...brief,
      answerTimeoutMs: 300,
    });
    expect((await refusal(open)).code).toMatch(/^STORE_(UNAVAILABLE|FAILED)$/);
    liar.close();
  });
});

describePostgres('opening', () => {
  it('keeps the password to itself', async () => {
    const server = await sharedPostgres();
    const url = server.url().replace('postgres@', 'postgres:hidden@');
    const store = closing(await PostgresRootStore.open(url, { schema: server.newSchema() }));
    expect(store.path).toBe(
      `postgres://127.0.0.1:${server.port}/postgres (schema ${/s\d+/.exec(store.path)![0]})`,
    );
    for (const bad of [
      'postgres://u:hidden@',
      'http://u:hidden@h/d',
      'postgres://u:hidden@h/d x',
      `${url}?options=-cfsync`,
    ]) {
      const error = await refusal(PostgresRootStore.open(bad));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'url' });
      expect(error.message).not.toContain('hidden');
    }
    const nobody = server.url().replace('postgres@', 'nobody:hidden@');
    const refused = await refusal(PostgresRootStore.open(nobody));
    expect(refused).toMatchObject({ code: 'STORE_FAILED' });
    expect(refused.message).not.toContain('hidden');
  });

  it.for<[string, object]>([
    ['schema', { schema: 'pg_x' }],
    ['schema', { schema: 'x"; DROP' }],
    ['storeId', { storeId: 'abc' }],
    ['create', { create: 'always' }],
    ['durability', { durability: 'none' }],
    ['notBefore', { notBefore: 5 }],
    ['notBefore.hash', { notBefore: { seq: 1n, hash: new Uint8Array(3) } }],
    ['answerTimeoutMs', { answerTimeoutMs: 0 }],
    ['unavailableAfterMs', { unavailableAfterMs: 'x' }],
    ['closeTimeoutMs', { closeTimeoutMs: Infinity }],
    ['options', { shema: 'x' }],
  ])('refuses options that make no sense: %s', async ([argument, options]) => {
    const open = PostgresRootStore.open('postgres://u@h/d', options);
    expect(await refusal(open)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });

  it('refuses URLs that contradict each other, and too many', async () => {
    const two = ['postgres://a/d?schema=x', 'postgres://b/d?schema=y'];
    expect(await refusal(PostgresRootStore.open(two))).toMatchObject({ argument: 'schema' });
    const one = PostgresRootStore.open('postgres://a/d?schema=x', { schema: 'y' });
    expect(await refusal(one)).toMatchObject({ argument: 'schema' });
    for (const many of [[], Array.from({ length: 17 }, () => 'postgres://a/d')])
      expect(await refusal(PostgresRootStore.open(many))).toMatchObject({ argument: 'url' });
  });

  it('finds the same store again, and what was written', async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const store = await newPostgresStore({ schema });
    await store.advance(null, entry(1n));
    const { storeId, newest } = store;
    await store.close();
    const again = await newPostgresStore({ schema, storeId, notBefore: newest, create: 'never' });
    expect([again.storeId, (await again.head(entry(1n)))?.tx]).toEqual([storeId, 1n]);
  });

  it('refuses a schema whose table `store` is somebody else’s, or newer', async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    await server.sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.store (id int)`);
    expect(await refusal(newPostgresStore({ schema }))).toMatchObject({ code: 'STORE_FOREIGN' });
    const newer = server.newSchema();
    await (await newPostgresStore({ schema: newer })).close();
    await server.sql(`UPDATE ${newer}.store SET version = 99`);
    expect(await refusal(newPostgresStore({ schema: newer }))).toMatchObject({ code: 'STORE_FOREIGN' });
  });
});
