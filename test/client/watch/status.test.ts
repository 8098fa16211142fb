// client.status(): what is now, and every change until the client is closed, however slowly it is watched.
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, Permission } from '#dist/index.js';
import type { StatusChange } from '#dist/index.js';
import { Status } from '#dist/client/watch/status.js';
import { Watch } from '#dist/client/watch/watch.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer, freshDatabase, sharedImmudb } from '../../support/real.js';
import { USER, rejection } from '../../trust/support.js';

const IDLE = { calls: 0, bytes: 0, waiting: 0 };

/** A status without a client, and what tells it. */
function bare() {
  const watch = new Watch({ client: 'c', address: 'a:1', keys: false });
  const told: (() => void)[] = [];
  let open = true;
  const status = new Status(watch, {
    isOpen: () => open,
    isFull: () => false,
    load: () => IDLE,
    databases: () => ({}),
    whenClosed: (tell) => {
      told.push(tell);
      return () => void told.splice(told.indexOf(tell), 1);
    },
  });
  const head = (tx: bigint, database = 'd', outcome: 'root' | 'first-use' = 'root') =>
    watch.tell('immu-ts:head', () => ({
      ...{ server: 's', database, outcome, operation: 'verifiedGet', previousTx: tx - 1n, tx, alh: '00' },
    }));
  const refusal = (check: string) =>
    watch.tell('immu-ts:refusal', () => ({
      ...{ server: 's', database: 'd', code: 'VERIFICATION_FAILED' as const, check },
    }));
  const close = () => {
    open = false;
    for (const tell of told.splice(0)) tell();
  };
  return { watch, status, head, refusal, close, told };
}

async function rest(changes: AsyncIterator<StatusChange, undefined>): Promise<StatusChange[]> {
  const all: StatusChange[] = [];
  for (;;) {
    const { done, value } = await changes.next();
    if (done === true) return all;
    all.push(value);
  }
}

const wordOf = (change: StatusChange) =>
  change.kind === 'head'
    ? `head ${change.event.database} ${change.event.tx} of ${change.moves}`
    : change.kind === 'refusal'
      ? `refusal ${change.event.check}`
      : change.kind;

test('moves of a head that nobody took yet are one, in their place among the other changes', async () => {
  const { status, head, refusal, close } = bare();
  const changes = status[Symbol.asyncIterator]();
  head(1n, 'd', 'first-use');
  head(2n);
  head(3n);
  head(7n, 'other');
  refusal('a');
  head(4n);
  close();
  expect((await rest(changes)).map(wordOf)).toEqual([
    'head d 1 of 1',
    'head other 7 of 1',
    'refusal a',
    'head d 4 of 3',
  ]);
});

test('whoever does not take them loses the oldest, and is told how many', async () => {
  const { status, refusal, close } = bare();
  const changes = status[Symbol.asyncIterator]();
  for (let i = 0; i < 300; i++) refusal(String(i));
  const first = await changes.next();
  expect(first.value).toMatchObject({ dropped: 44, event: { check: '44' } });
  close();
  const others = await rest(changes);
  expect(others.length).toBe(255);
  expect(others.every(({ dropped }) => dropped === 0)).toBe(true);
});

test('whoever waits is told at once, and that it is over; leaving leaves nothing behind', async () => {
  const { watch, status, refusal, close } = bare();
  const changes = status[Symbol.asyncIterator]();
  const two = [changes.next(), changes.next()];
  refusal('x');
  expect(await two[0]).toMatchObject({ value: { kind: 'refusal', dropped: 0 } });
  close();
  expect(await two[1]).toEqual({ done: true, value: undefined });
  expect(await changes.next()).toEqual({ done: true, value: undefined });
  expect(watch.wants('immu-ts:refusal')).toBe(false);

  const other = bare();
  for await (const change of {
    [Symbol.asyncIterator]: () => {
      const iterator = other.status[Symbol.asyncIterator]();
      other.refusal('y');
      return iterator;
    },
  }) {
    expect(change.kind).toBe('refusal');
    break;
  }
  await Promise.resolve();
  expect(other.watch.wants('immu-ts:refusal')).toBe(false);
  expect(other.told).toEqual([]);
  const after = bare();
  after.close();
  expect(await rest(after.status[Symbol.asyncIterator]())).toEqual([]);
  expect(after.status.now).toMatchObject({ ready: false, troubles: ['the client is closed'] });
});

test('two who watch are each told all of it', async () => {
  const { status, refusal, close } = bare();
  const both = [status[Symbol.asyncIterator](), status[Symbol.asyncIterator]()];
  refusal('x');
  close();
  expect((await Promise.all(both.map(rest))).map((all) => all.map(wordOf))).toEqual([
    ['refusal x'],
    ['refusal x'],
  ]);
});

test('what a listener throws reaches nobody', () => {
  const { watch, refusal } = bare();
  const heard: string[] = [];
  watch.listen(['immu-ts:refusal'], () => {
    throw new Error('mine');
  });
  watch.listen(['immu-ts:refusal'], (name) => heard.push(name));
  refusal('x');
  expect(heard).toEqual(['immu-ts:refusal']);
});

describeServer('the status of a client', () => {
  test('goes from idle to connected to closed, and ends with the client', async () => {
    const database = await freshDatabase();
    const client = new ImmuClient({
      address: sharedImmudb(),
      store: new MemoryRootStore(),
      credentials: { ...USER, database },
    });
    onTestFinished(() => client.close());
    expect(client.status().now).toEqual({
      ...{ ready: true, saturated: false, connection: 'idle', load: IDLE },
      ...{ troubles: [], databases: {}, warnings: [] },
    });
    const kinds: string[] = [];
    const watching = (async () => {
      for await (const change of client.status()) {
        if (change.kind === 'connection' || change.kind === 'session') kinds.push(change.event.state);
        else kinds.push(change.kind);
      }
    })();
    const { tx } = await client.verifiedSet('k', 'v');
    expect(client.status().now).toMatchObject({
      ...{ ready: true, connection: 'connected', databases: { [database]: { headTx: tx, refused: false } } },
    });
    await client.close();
    await watching;
    expect(kinds).toEqual(expect.arrayContaining(['connecting', 'connected', 'opened', 'head']));
    expect(client.status().now).toMatchObject({ ready: false, connection: 'closed' });
  });

  test('tells of a session that was opened again', async () => {
    const client = new ImmuClient({
      address: sharedImmudb(),
      store: new MemoryRootStore(),
      credentials: USER,
    });
    onTestFinished(() => client.close());
    const states: string[] = [];
    const watching = (async () => {
      for await (const change of client.status())
        if (change.kind === 'session') states.push(change.event.state);
    })();
    const user = `u${Date.now()}`;
    const password = 'MyUser@9x';
    await client.createUser(user, password, Permission.RW, 'defaultdb');
    const theirs = new ImmuClient({
      address: sharedImmudb(),
      store: new MemoryRootStore(),
      credentials: { user, password },
    });
    onTestFinished(() => theirs.close());
    const theirStates: string[] = [];
    const theirWatching = (async () => {
      for await (const change of theirs.status())
        if (change.kind === 'session') theirStates.push(change.event.state);
    })();
    await theirs.get('k');
    // The server ends the sessions of a user whose privileges change.
    await client.changeSqlPrivileges(user, 'defaultdb', 'grant', ['SELECT']);
    await theirs.get('k');
    await theirs.close();
    await client.close();
    await Promise.all([watching, theirWatching]);
    expect(theirStates).toEqual(['opened', 'lost', 'reopened']);
    expect(states).toEqual(['opened']);
  });
});

test('a server that was put back is told of, and is refused until it proves the head again', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const client = new ImmuClient({ address: ledger.address, store: new MemoryRootStore(), credentials: USER });
  onTestFinished(() => client.close());
  for (let i = 0; i < 4; i++) await client.verifiedSet('k', `${i}`);
  const changes = client.status()[Symbol.asyncIterator]();
  const lie = ledger.lie({ kind: 'rollback', to: 2n });
  expect(await rejection(client.verifiedSet('k', 'v'))).toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
  expect(client.status().now).toMatchObject({ ready: false, databases: { defaultdb: { refused: true } } });
  expect((await changes.next()).value).toMatchObject({
    kind: 'refusal',
    event: { code: 'SERVER_BEHIND_TRUST' },
  });
  lie.stop();
  await client.verifiedSet('k', 'v');
  expect(client.status().now).toMatchObject({ ready: true, databases: { defaultdb: { refused: false } } });
});
