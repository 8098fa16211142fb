// Writes in flight share transactions: what goes together, in which order, and how each write is told.
import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { Deadline } from '#dist/client/flow/deadline.js';
import { WriteGroups } from '#dist/client/group/write-groups.js';
import { NO_CONDITIONS } from '#dist/client/group/write-form.js';
import type { WriteContent, WriteForm } from '#dist/client/group/write-form.js';
import { DELETE, EXEC_ALL, SET } from '#dist/client/group/write-forms.js';
import type { GroupedWrite } from '#dist/client/group/write-groups.js';
import { equalBytes } from '#dist/proof/bytes.js';
import { TransportError, VerificationError } from '#dist/errors.js';
import { readSetRequest } from '#dist/verify/wire/requests.js';
import type { SentEntry } from '#dist/verify/wire/requests.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Gate, refusal, turns } from '../../trust/fake-immudb.js';
import { utf8 } from '../../verify/support/test-chain.js';

class TestWrite implements GroupedWrite {
  readonly deadline = new Deadline({}, 5000);
  settled = false;
  readonly done: Promise<string>;
  #tell!: (outcome: string) => void;

  constructor(readonly entries: readonly SentEntry[]) {
    this.done = new Promise((resolve) => (this.#tell = resolve));
  }

  resolve(): void {
    this.#end('written');
  }

  reject(error: unknown): void {
    this.#end(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }

  #end(outcome: string): void {
    this.settled = true;
    this.#tell(outcome);
  }
}

let sent: string[][];
let gate: Gate | undefined;
let untold: Gate | undefined;
let fault: (keys: readonly string[]) => Error | undefined;
let groups: WriteGroups<TestWrite>;
beforeEach(() => {
  sent = [];
  gate = undefined;
  untold = undefined;
  fault = () => undefined;
  groups = new WriteGroups<TestWrite>({
    send: async (writes, { request }) => {
      // What is sent is what the writes hold, in their order.
      const entries = readSetRequest(request);
      const held = writes.flatMap((write) => write.entries);
      expect(entries.length).toBe(held.length);
      expect(
        entries.every(
          ({ key, value }, i) => equalBytes(key, held[i]!.key) && equalBytes(value, held[i]!.value),
        ),
      ).toBe(true);
      const keys = entries.map(({ key }) => Buffer.from(key).toString());
      sent.push(keys);
      await gate?.pass();
      const error = fault(keys);
      if (error) throw error;
      for (const write of writes) write.resolve();
      return { told: untold?.pass() ?? Promise.resolve() };
    },
  });
});

function contentOf(entries: readonly SentEntry[]): WriteContent<SentEntry> {
  const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return { form: SET, entries, conditions: NO_CONDITIONS, bytes };
}

function write(...keys: string[]): TestWrite {
  const made = new TestWrite(keys.map((key) => ({ key: utf8(key), value: utf8('v') })));
  groups.write(made, contentOf(made.entries));
  return made;
}

const all = (writes: readonly TestWrite[]) => Promise.all(writes.map(({ done }) => done));
const names = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `k${from + i}`);

describe('grouping', () => {
  test('what is written in one turn goes together, in its order', async () => {
    await all([write('a'), write('b', 'c'), write('d')]);
    expect(sent).toEqual([['a', 'b', 'c', 'd']]);
    expect(groups.counts).toEqual({ groups: 1, writes: 3, entries: 4 });
  });

  test('a key twice goes with the next, and what came after it behind it', async () => {
    await all([write('a'), write('b'), write('c', 'a'), write('d'), write('a')]);
    expect(sent).toEqual([['a', 'b'], ['c', 'a', 'd'], ['a']]);
  });

  test('a group takes 1024 entries, and a write stays in one piece', async () => {
    const writes = names(1020).map((name) => write(name));
    writes.push(write(...names(6, 2000)));
    await all(writes);
    expect(sent.map(({ length }) => length)).toEqual([1020, 6]);
  });

  test('a group takes 1024 entries to the last', async () => {
    // Small ones were seen: their number alone is the bound.
    for (let i = 0; i < 4; i++) await all(names(600).map((name) => write(name)));
    sent.length = 0;
    const writes = names(1020).map((name) => write(name));
    writes.push(write(...names(4, 2000)), write('one more'));
    await all(writes);
    expect(sent.map(({ length }) => length)).toEqual([1024, 1]);
  });

  test('a group takes a MiB; a write that is larger goes alone', async () => {
    const large = (name: string, bytes: number) => {
      const made = new TestWrite([{ key: utf8(name), value: new Uint8Array(bytes) }]);
      groups.write(made, contentOf(made.entries));
      return made;
    };
    await all([
      large('a', 600_000),
      large('b', 600_000),
      large('c', 300_000),
      large('d', 3_000_000),
      large('e', 1),
    ]);
    expect(sent.map((keys) => keys.join(''))).toEqual(['a', 'bc', 'd', 'e']);
  });

  test('two groups are on their way at first, and up to four when more wait', async () => {
    gate = new Gate();
    const writes = names(12).map((_, i) => write('same', `own${i}`));
    const others: TestWrite[] = [];
    await turns();
    expect(sent).toHaveLength(1);
    gate.open();
    await all(writes);
    // One key in all of them: one at a time, in order.
    expect(sent.map(([, own]) => own)).toEqual(names(12).map((_, i) => `own${i}`));
    gate = new Gate();
    sent.length = 0;
    for (const name of names(9)) {
      others.push(write(name));
      await turns(1);
    }
    expect(gate.waiting).toBeGreaterThan(1);
    expect(gate.waiting).toBeLessThanOrEqual(4);
    const flying = gate.waiting;
    // The rest went together into the group that waits.
    gate.next();
    await turns();
    expect(sent[flying]).toEqual(names(9 - flying, flying));
    gate.open();
    expect(new Set(await all(others))).toEqual(new Set(['written']));
  });

  test('the next go out while answered ones are proven; not ever more of them', async () => {
    untold = new Gate();
    const writes: TestWrite[] = [];
    for (const name of names(12)) {
      writes.push(write(name));
      await turns();
    }
    expect(sent).toEqual(names(8).map((name) => [name]));
    untold.next();
    await turns();
    expect(sent.slice(8)).toEqual([names(4, 8)]);
    untold.open();
    expect(new Set(await all(writes))).toEqual(new Set(['written']));
  });

  test('a key that is on its way waits, with what is behind it', async () => {
    gate = new Gate();
    const first = write('a');
    await turns();
    const later = [write('a'), write('b')];
    await turns();
    expect(sent).toEqual([['a']]);
    gate.next();
    await first.done;
    await turns();
    expect(sent).toEqual([['a'], ['a', 'b']]);
    gate.open();
    await all(later);
  });

  test('what was given up before it was sent is not sent', async () => {
    const [a, b, c] = [write('a'), write('b'), write('c')];
    b.reject(new Error('gave up'));
    await all([a, c]);
    expect(sent).toEqual([['a', 'c']]);
    const gone = write('d');
    gone.reject(new Error('gave up'));
    await turns();
    expect(sent).toHaveLength(1);
  });
});

describe('refusals', () => {
  const bad = (name: string, error: () => Error) => {
    fault = (keys) => (keys.includes(name) ? error() : undefined);
  };

  test('one bad write fails alone; the others are written in their order, each once', async () => {
    bad('k5', () => refusal('max key length exceeded', 'Set'));
    const outcomes = await all(names(9).map((name) => write(name)));
    expect(outcomes).toEqual(names(9).map((name) => (name === 'k5' ? 'LIMIT_EXCEEDED' : 'written')));
    const written = sent.filter((keys) => !keys.includes('k5')).flat();
    expect(written).toEqual(names(9).filter((name) => name !== 'k5'));
  });

  test.each(['illegal arguments', 'duplicated keys are not supported in single batch transaction'])(
    'so does one that is wrong in itself: %s',
    async (words) => {
      bad('k1', () => refusal(words, 'Set', status.INVALID_ARGUMENT, false));
      const outcomes = await all(names(3).map((name) => write(name)));
      expect(outcomes).toEqual(['written', 'SERVER_REFUSED', 'written']);
    },
  );

  test('so does one with metadata on a database that takes none', async () => {
    const words = 'metadata is unsupported when in 1.1 compatibility mode, and so on';
    bad('k1', () => refusal(words, 'Set', status.UNKNOWN, false));
    expect(await all(names(3).map((name) => write(name)))).toEqual(['written', 'SERVER_REFUSED', 'written']);
  });

  test('a write of many entries is not taken apart', async () => {
    bad('b', () => refusal('max number of entries per tx exceeded', 'Set'));
    expect(await all([write('a', 'b', 'c'), write('d')])).toEqual(['LIMIT_EXCEEDED', 'written']);
    expect(sent).toEqual([['a', 'b', 'c', 'd'], ['a', 'b', 'c'], ['d']]);
  });

  test('too many entries for the server: smaller groups from then on', async () => {
    fault = (keys) => (keys.length > 3 ? refusal('max number of entries per tx exceeded', 'Set') : undefined);
    expect(new Set(await all(names(8).map((name) => write(name))))).toEqual(new Set(['written']));
    sent.length = 0;
    expect(new Set(await all(names(8).map((name) => write(name))))).toEqual(new Set(['written']));
    expect(sent[0]!.length).toBeLessThanOrEqual(4);
    expect(
      sent
        .filter(({ length }) => length <= 3)
        .flat()
        .sort(),
    ).toEqual(names(8));
  });

  test('order per key holds while a group is taken apart', async () => {
    bad('bad', () => refusal('max key length exceeded', 'Set'));
    const first = [write('a'), write('bad'), write('b')];
    await turns(1);
    const second = [write('a'), write('b')];
    expect(await all(first)).toEqual(['written', 'LIMIT_EXCEEDED', 'written']);
    expect(await all(second)).toEqual(['written', 'written']);
    const order = sent.filter((keys) => !keys.includes('bad')).flat();
    expect(order).toEqual(['a', 'b', 'a', 'b']);
  });

  test.each<[string, () => Error, string]>([
    ['a server that is busy', () => refusal('max concurrency limit exceeded', 'Set'), 'OVERLOADED'],
    [
      'a session that ended',
      () => refusal('session not found', 'Set', status.PERMISSION_DENIED),
      'SESSION_EXPIRED',
    ],
    [
      'a user who may not write',
      () => refusal('permission denied', 'Set', status.PERMISSION_DENIED),
      'PERMISSION_DENIED',
    ],
    [
      'an answer that is larger than this client takes: it was written',
      () => refusal('Received message larger than max (9 vs 8)', 'Set', status.RESOURCE_EXHAUSTED, false),
      'OUTCOME_UNKNOWN',
    ],
    [
      'words that may come after the commit',
      () => refusal('illegal arguments: of some kind', 'Set', status.INVALID_ARGUMENT, false),
      'OUTCOME_UNKNOWN',
    ],
    [
      'a refusal that is not known to come before the commit',
      () => refusal('illegal arguments: of some kind', 'Set', status.INVALID_ARGUMENT),
      'SERVER_REFUSED',
    ],
    ['an unknown outcome', () => new TransportError('OUTCOME_UNKNOWN', 'lost'), 'OUTCOME_UNKNOWN'],
    [
      'an answer that is not proven',
      () => new VerificationError('VERIFICATION_FAILED', 'no', { server: 's', database: 'd', check: 'c' }),
      'VERIFICATION_FAILED',
    ],
    ['a defect', () => new TypeError('of ours'), 'TypeError: of ours'],
  ])('%s: all are told, none is sent again', async (_name, error, outcome) => {
    fault = error;
    expect(await all([write('a'), write('b'), write('c')])).toEqual([outcome, outcome, outcome]);
    expect(sent).toEqual([['a', 'b', 'c']]);
    fault = () => undefined;
    expect(await write('a').done).toBe('written');
  });

  test('a server that was busy many times in a row is written to as soon as it is not', async () => {
    fault = () => refusal('max concurrency limit exceeded', 'Set');
    for (let i = 0; i < 5; i++) expect(await write('a').done).toBe('OVERLOADED');
    fault = () => undefined;
    expect(await write('a').done).toBe('written');
  });

  test('a busy server gets fewer groups at a time', async () => {
    fault = () => refusal('max concurrency limit exceeded', 'Set');
    await write('a').done;
    fault = () => undefined;
    gate = new Gate();
    const writes = [write('b')];
    await turns();
    writes.push(write('c'));
    await turns();
    expect(sent.slice(1)).toEqual([['b']]);
    gate.open();
    expect(await all(writes)).toEqual(['written', 'written']);
  });
});

describe('forms', () => {
  /** What each group was sent as, and which writes were in it, by their names. */
  let groupsSent: string[];
  let refused: (names: ReadonlySet<string>) => boolean;
  let forms: WriteGroups<TestWrite>;
  beforeEach(() => {
    groupsSent = [];
    refused = () => false;
    forms = new WriteGroups<TestWrite>({
      send: async (writes, { form, names, request, endings }) => {
        // What is noted of the keys is what the request holds.
        const entries = form.read(request);
        expect([...names]).toEqual(entries.map((entry) => form.nameOf(entry)));
        for (const entry of entries) expect(endings.get(form.nameOf(entry))).toBe(form.endingOf?.(entry));
        groupsSent.push(`${form.method} ${[...names].join(' ').replaceAll('\u0100', '+')}`);
        await gate?.pass();
        if (refused(new Set(names)))
          throw refusal('tbtree: key not found', form.method, status.UNKNOWN, false);
        for (const write of writes) write.resolve();
        return { told: Promise.resolve() };
      },
    });
  });

  const put = <E>(form: WriteForm<E>, entry: E, ...depends: string[]): TestWrite => {
    const made = new TestWrite([]);
    const conditions = depends.map((key) => ({ kind: 'mustExist' as const, key: utf8(key) }));
    forms.write(made, { form, entries: [entry], conditions, bytes: 10 });
    return made;
  };
  const setOf = (key: string, ...depends: string[]) =>
    put(SET, { key: utf8(key), value: utf8('v') }, ...depends);
  const deleteOf = (key: string) => put(DELETE, utf8(key));
  const referenceOf = (key: string, to: string) =>
    put(EXEC_ALL, { reference: { key: utf8(key), to: utf8(to), atTx: 0n } });
  const memberOf = (set: string, score: number, key: string) =>
    put(EXEC_ALL, { zAdd: { set: utf8(set), score, key: utf8(key), atTx: 0n } });

  test('each joins the newest group of its form', async () => {
    await all([
      setOf('a'),
      deleteOf('b'),
      setOf('c'),
      referenceOf('d', 'x'),
      deleteOf('e'),
      memberOf('s', 1, 'x'),
    ]);
    expect(groupsSent).toEqual(['Set a c', 'Delete b e', 'ExecAll d +sx0']);
  });

  test('none goes before a group behind it that holds one of its keys', async () => {
    await all([setOf('a'), deleteOf('b'), setOf('b'), setOf('c'), deleteOf('c'), deleteOf('d')]);
    expect(groupsSent).toEqual(['Set a', 'Delete b', 'Set b c', 'Delete c d']);
  });

  test('what a reference leads to is not written beside it, nor what it depends on', async () => {
    await all([setOf('a'), referenceOf('r', 'a'), setOf('a'), setOf('b', 'r'), referenceOf('r', 'b')]);
    expect(groupsSent).toEqual(['Set a', 'ExecAll r', 'Set a b', 'ExecAll r']);
    groupsSent.length = 0;
    await all([setOf('k', 'd'), setOf('l', 'd'), setOf('d'), setOf('k')]);
    expect(groupsSent).toEqual(['Set k l', 'Set d k']);
  });

  test('many lead to one key in one group; what they lead through is in the next', async () => {
    await all([referenceOf('a', 'x'), referenceOf('b', 'x'), memberOf('s', 1, 'x'), memberOf('t', 1, 'x')]);
    expect(groupsSent).toEqual(['ExecAll a b +sx0 +tx0']);
    groupsSent.length = 0;
    await all([referenceOf('a', 'b'), referenceOf('b', 'x'), memberOf('s', 1, 'x'), memberOf('s', 2, 'x')]);
    expect(groupsSent).toEqual(['ExecAll a', 'ExecAll b +sx0', 'ExecAll +sx0']);
  });

  test('a key that is on its way, or led to, waits', async () => {
    gate = new Gate();
    const first = referenceOf('r', 'a');
    await turns();
    const later = [deleteOf('a'), setOf('b')];
    await turns();
    expect(groupsSent).toEqual(['ExecAll r']);
    gate.next();
    await first.done;
    await turns();
    expect(groupsSent).toEqual(['ExecAll r', 'Delete a', 'Set b']);
    gate.open();
    await all(later);
  });

  test('one that is to blame is refused alone, whatever its form', async () => {
    refused = (sent) => sent.has('k3');
    expect(await all(names(6).map((name) => deleteOf(name)))).toEqual(
      names(6).map((name) => (name === 'k3' ? 'NOT_FOUND' : 'written')),
    );
    expect(await all(names(6).map((name) => referenceOf(name, 'x')))).toEqual(
      names(6).map((name) => (name === 'k3' ? 'NOT_FOUND' : 'written')),
    );
    // A refusal of one says nothing of how many go together.
    refused = () => false;
    groupsSent.length = 0;
    await all(names(6).map((name) => deleteOf(name)));
    expect(groupsSent).toEqual([`Delete ${names(6).join(' ')}`]);
  });

  test('preconditions go with their write when a group is taken apart', async () => {
    const requests: Uint8Array[] = [];
    forms = new WriteGroups<TestWrite>({
      send: async (writes, { request }) => {
        requests.push(request.slice());
        await Promise.resolve();
        if (writes.length > 1)
          throw refusal('precondition failed: KeyMustExist', 'Set', status.FAILED_PRECONDITION, false);
        writes[0]!.resolve();
        return { told: Promise.resolve() };
      },
    });
    await all([setOf('a', 'x'), setOf('b'), setOf('c', 'y', 'z')]);
    const { requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'Set');
    const sentTo = requests.slice(1).map((request) => {
      const { KVs, preconditions = [] } = requestDeserialize(Buffer.from(request)) as {
        KVs: { key: Buffer }[];
        preconditions?: { keyMustExist: { key: Buffer } }[];
      };
      return [KVs, preconditions.map(({ keyMustExist }) => keyMustExist)]
        .map((keys) => keys.map(({ key }) => key.toString()).join(''))
        .join(' needs ');
    });
    expect(sentTo).toEqual(['a needs x', 'bc needs yz', 'b needs ', 'c needs yz']);
  });

  test('no more preconditions than a transaction takes', async () => {
    const many = (key: string) => setOf(key, ...names(1000));
    await all([many('a'), setOf('b'), many('c')]);
    expect(groupsSent).toEqual(['Set a b', 'Set c']);
  });

  test('what was given up is left out, with its keys and its preconditions', async () => {
    const [, b] = [setOf('a'), setOf('b', 'x'), setOf('c')];
    b.reject(new Error('gave up'));
    await turns();
    expect(groupsSent).toEqual(['Set a c']);
  });
});
