// Reads in flight share requests: what is asked together, what alone, and how each reader is told.
import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { Deadline } from '#dist/client/flow/deadline.js';
import { keyName } from '#dist/verify/key-name.js';
import { KeyAsker } from '#dist/client/group/key-asker.js';
import { ReadGroups } from '#dist/client/group/read-groups.js';
import type { Reader } from '#dist/client/group/read-groups.js';
import { readTogether } from '#dist/client/group/read-together.js';
import { TransportError } from '#dist/errors.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import type { ClaimOutcome } from '#dist/verify/verifier.js';
import { FakeImmudb, Gate, refusal, turns } from '../../trust/fake-immudb.js';
import { DATABASE, TestChain, utf8 } from '../../verify/support/test-chain.js';

class TestReader implements Reader {
  readonly deadline: Deadline;
  settled = false;
  readonly done: Promise<string>;
  #tell!: (outcome: string) => void;

  constructor(
    readonly verified = false,
    timeoutMs = 5000,
  ) {
    this.deadline = new Deadline({ timeoutMs }, 1);
    this.done = new Promise((resolve) => (this.#tell = resolve));
  }

  deliver(outcome: ClaimOutcome): void {
    this.#end(outcome.kind === 'value' ? Buffer.from(outcome.claim.value).toString() : outcome.kind);
  }

  reject(error: unknown): void {
    this.#end(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }

  #end(outcome: string): void {
    this.settled = true;
    this.#tell(outcome);
  }
}

const chain = new TestChain();
for (let i = 0; i < 1500; i++) chain.set([`k${i}`, `v${i}`]);

let fake: FakeImmudb;
let alone: string[];
let takesAlone: boolean;
let probe: () => Promise<void>;
let asker: KeyAsker;
let groups: ReadGroups<TestReader>;
beforeEach(() => {
  fake = new FakeImmudb(chain);
  alone = [];
  takesAlone = true;
  probe = () => Promise.resolve();
  asker = new KeyAsker({
    rpc: fake,
    verifier: new InlineVerifier(),
    context: () => ({ head: null, database: DATABASE, now: 1n }),
  });
  groups = new ReadGroups<TestReader>({
    asker,
    askAlone: (key, reader) => {
      alone.push(Buffer.from(key).toString());
      if (takesAlone) reader.deliver({ kind: 'missing' });
      return takesAlone;
    },
    probe: () => probe(),
  });
});

const keysOf = (keys: readonly string[]) => [keys.map(utf8), keys.map((key) => keyName(utf8(key)))] as const;

async function together(keys: readonly string[], told: number[] = []): Promise<string[]> {
  const outcomes: string[] = [];
  await readTogether(asker, ...keysOf(keys), new Deadline({}, 5000), (part, from) => {
    told.push(from);
    part.forEach((outcome, i) => {
      expect(outcomes[from + i]).toBeUndefined();
      outcomes[from + i] =
        outcome.kind === 'value' ? Buffer.from(outcome.claim.value).toString() : outcome.kind;
    });
  });
  return outcomes;
}

function read(key: string, reader = new TestReader()): Promise<string> {
  groups.read(utf8(key), key, reader);
  return reader.done;
}

const readMany = (count: number, from = 0) =>
  Promise.all(Array.from({ length: count }, (_, i) => read(`k${from + i}`)));
const sizes = () =>
  fake.sent.filter(({ method }) => method === 'GetAll').map(({ request }) => request.keys.length as number);

describe('answers that are too large', () => {
  /** Values of 30 MiB, as if: three of them are more than an answer may hold, and so are two. */
  function atMost(keys: number): void {
    fake.intercept = ({ method, request, answer }) => {
      const asked = request.keys as readonly Uint8Array[] | undefined;
      if (method === 'GetAll' && (asked?.length ?? 0) > keys)
        throw refusal('Received message larger than max (92 vs. 64)', 'GetAll', status.RESOURCE_EXHAUSTED);
      return answer();
    };
  }

  test('keys that are read together are asked for in halves, within the call', async () => {
    atMost(1);
    expect(await together(['k1', 'k2', 'k3'])).toEqual(['v1', 'v2', 'v3']);
    expect(
      fake.sent.map(({ method, request }) => [method, (request.keys as unknown[] | undefined)?.length]),
    ).toEqual([
      ['GetAll', 3],
      ['Get', undefined],
      ['GetAll', 2],
      ['Get', undefined],
      ['Get', undefined],
    ]);
    // And in order, with keys that are named again.
    atMost(3);
    const keys = Array.from({ length: 40 }, (_, i) => `k${i % 30}`);
    expect(await together(keys)).toEqual(keys.map((key) => key.replace('k', 'v')));
  });

  test('one key whose answer is too large fails the call', async () => {
    fake.intercept = () => {
      throw refusal('Received message larger than max (92 vs. 64)', 'GetAll', status.RESOURCE_EXHAUSTED);
    };
    await expect(together(['k1', 'k2'])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('reads in a group too, and groups are whole again soon', async () => {
    atMost(1);
    expect((await readMany(3)).slice(0, 3)).toEqual(['v0', 'v1', 'v2']);
    fake.intercept = ({ answer }) => answer();
    fake.methods();
    // Each round asks for 100 keys: what it is sent in comes down to a request or a few.
    const requests: number[] = [];
    for (let round = 0; round < 8; round++) {
      await readMany(100);
      requests.push(fake.methods().length);
    }
    expect(requests.at(-1)).toBeLessThanOrEqual(3);
  });

  test('nobody waits any more: the rest is not asked for', async () => {
    let isOver = false;
    fake.intercept = ({ answer }) => {
      isOver = true;
      return answer();
    };
    const keys = Array.from({ length: 1500 }, (_, i) => `k${i}`);
    await readTogether(
      asker,
      ...keysOf(keys),
      new Deadline({}, 5000),
      () => undefined,
      () => isOver,
    );
    expect(fake.methods()).toEqual(['GetAll']);
  });
});

describe('defects', () => {
  test('end the reads concerned, and nothing else', async () => {
    const faulty = new ReadGroups<TestReader>({
      asker,
      askAlone: () => {
        throw new TypeError('a defect');
      },
      probe: () => {
        throw new TypeError('another');
      },
    });
    const ask = (key: string, verified: boolean) => {
      const reader = new TestReader(verified);
      faulty.read(utf8(key), key, reader);
      return reader.done;
    };
    expect(await ask('k1', true)).toBe('TypeError: a defect');
    expect(await Promise.all([ask('k1', true), ask('k2', true)])).toEqual(
      Array(2).fill('TypeError: another'),
    );
    expect(await Promise.all([ask('k1', false), ask('k2', false)])).toEqual(['v1', 'v2']);
  });
});

describe('grouping', () => {
  test('what is asked in one turn goes out together, each key once', async () => {
    const told = await Promise.all([read('k1'), read('k2'), read('none'), read('k1'), read('k1')]);
    expect(told).toEqual(['v1', 'v2', 'missing', 'v1', 'v1']);
    expect(fake.sent).toMatchObject([
      { method: 'GetAll', request: { keys: ['k1', 'k2', 'none'].map(utf8) } },
    ]);
    expect(groups.counts).toEqual({ groups: 1, groupedKeys: 3, alone: 0 });
    await Promise.all([read('k1'), read('k2')]);
    expect(groups.counts).toEqual({ groups: 2, groupedKeys: 5, alone: 0 });
  });

  test('keys are told apart by their bytes', async () => {
    const keys = [new Uint8Array([0xff]), new Uint8Array([0xff, 0]), utf8('ÿ'), utf8('')];
    const readers = keys.map((key) => {
      const reader = new TestReader();
      const asked = key.length === 0 ? new Uint8Array([0]) : key;
      groups.read(asked, keyName(asked), reader);
      return reader.done;
    });
    expect(await Promise.all(readers)).toEqual(['missing', 'missing', 'missing', 'missing']);
    expect(sizes()).toEqual([4]);
  });

  test('a lone read is a Get; a lone verified one is asked with its proof, where that is better', async () => {
    expect(await read('k5')).toBe('v5');
    expect(fake.methods()).toEqual(['Get']);
    expect(await read('none')).toBe('missing');
    expect(await read('k5', new TestReader(true))).toBe('missing');
    expect(alone).toEqual(['k5']);
    expect(fake.methods()).toEqual(['Get']);
    takesAlone = false;
    expect(await read('k5', new TestReader(true))).toBe('v5');
    expect(fake.methods()).toEqual(['Get']);
    // Two of the same key: one Get for both, verified or not.
    const both = [read('k6', new TestReader(true)), read('k6')];
    expect(await Promise.all(both)).toEqual(['v6', 'v6']);
    expect([fake.methods(), alone]).toEqual([['Get'], ['k5', 'k5']]);
    expect(groups.counts).toMatchObject({ groups: 0, alone: 5 });
  });

  test('at most three groups are on their way; what comes meanwhile waits, and goes out together', async () => {
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      await gate.pass();
      return answer();
    };
    const first = readMany(500);
    await turns();
    expect(sizes()).toEqual([167, 167, 166]);
    const later = [readMany(30, 600), readMany(30, 700)];
    await turns();
    expect([sizes(), gate.waiting]).toEqual([[167, 167, 166], 3]);
    gate.next();
    await turns();
    expect(sizes()).toEqual([167, 167, 166, 60]);
    gate.open();
    expect((await first).slice(0, 3)).toEqual(['v0', 'v1', 'v2']);
    expect((await later[1])![0]).toBe('v700');
  });

  test('few keys are not split to fill the places, many are split by what answers take', async () => {
    await readMany(48);
    expect(sizes()).toEqual([48]);
    fake.methods();
    await readMany(1500);
    expect(Math.max(...sizes())).toBeLessThanOrEqual(1024);
    expect(sizes().reduce((sum, size) => sum + size)).toBe(1500);
  });

  test('readers that gave up before it went out are not asked for', async () => {
    const gone = new TestReader();
    groups.read(utf8('k1'), 'k1', gone);
    gone.reject(new Error('gave up'));
    const shared = new TestReader();
    groups.read(utf8('k2'), 'k2', shared);
    shared.reject(new Error('gave up'));
    expect(await Promise.all([read('k2'), read('k3')])).toEqual(['v2', 'v3']);
    expect(fake.sent).toMatchObject([{ request: { keys: ['k2', 'k3'].map(utf8) } }]);
  });

  test('a group waits as long as the most patient of its readers', async () => {
    await Promise.all([read('k1', new TestReader(false, 100)), read('k2', new TestReader(false, 60_000))]);
    let left = 0;
    fake.intercept = ({ options, answer }) => {
      left = options.timeoutMs ?? 0;
      return answer();
    };
    await Promise.all([
      read('k1', new TestReader(false, 100)),
      read('k2', new TestReader(false, 60_000)),
      read('k3', new TestReader(false, 1000)),
    ]);
    expect(left).toBeGreaterThan(50_000);
  });
});

describe('refusals', () => {
  test('one bad key fails alone', async () => {
    fake.intercept = ({ request, answer }) => {
      const keys: Uint8Array[] = request.keys ?? [request.key];
      if (keys.some((key) => Buffer.from(key).toString() === 'k13')) throw refusal('something about k13');
      return answer();
    };
    const told = await readMany(40);
    expect(told.map((each, i) => (each === `v${i}` ? 'right' : each))).toEqual(
      Array.from({ length: 40 }, (_, i) => (i === 13 ? 'SERVER_REFUSED' : 'right')),
    );
  });

  test('an answer that is too large is asked for in halves, and later groups are smaller', async () => {
    fake.intercept = ({ request, answer }) => {
      if (request.keys?.length > 10)
        throw refusal('Received message larger than max (5 vs 4)', 'GetAll', status.RESOURCE_EXHAUSTED);
      return answer();
    };
    expect(await readMany(40)).toEqual(Array.from({ length: 40 }, (_, i) => `v${i}`));
    expect(sizes().slice(0, 3)).toEqual([40, 20, 20]);
    fake.methods();
    await readMany(40);
    expect(Math.max(...sizes())).toBeLessThanOrEqual(20);
  });

  test('what concerns everybody is told to everybody, at once', async () => {
    fake.intercept = () => {
      throw new TransportError('UNAVAILABLE', 'gone');
    };
    expect(new Set(await readMany(10))).toEqual(new Set(['UNAVAILABLE']));
    expect(fake.methods()).toEqual(['GetAll']);
    fake.intercept = () => {
      throw refusal('session not found', 'GetAll', status.PERMISSION_DENIED);
    };
    expect(new Set(await readMany(10))).toEqual(new Set(['SESSION_EXPIRED']));
    expect(fake.methods()).toEqual(['GetAll']);
  });

  test('users who may not call GetAll are served one by one, from then on without asking again', async () => {
    fake.intercept = ({ method, answer }) => {
      if (method === 'GetAll') throw refusal('permission denied', method, status.PERMISSION_DENIED);
      return answer();
    };
    expect(await Promise.all([read('k1'), read('none'), read('k2')])).toEqual(['v1', 'missing', 'v2']);
    expect(fake.methods()).toEqual(['GetAll', 'Get', 'Get', 'Get']);
    expect(await readMany(5)).toHaveLength(5);
    expect(fake.methods()).toEqual(['Get', 'Get', 'Get', 'Get', 'Get']);
    expect(await together(['k1', 'none'])).toEqual(['v1', 'missing']);
  });

  test('users who may read nothing are told so', async () => {
    fake.intercept = ({ method }) => {
      throw refusal('permission denied', method, status.PERMISSION_DENIED);
    };
    expect(await readMany(3)).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED', 'PERMISSION_DENIED']);
  });

  test('an answer that is none refutes every key of it', async () => {
    fake.intercept = () => new Uint8Array([0xff]);
    expect(await readMany(3)).toEqual(['refuted', 'refuted', 'refuted']);
    expect(await read('k1')).toBe('refuted');
  });
});

describe('probing', () => {
  test('verified readers are not told what a server answers that is behind; plain ones are', async () => {
    let probes = 0;
    probe = () => {
      probes += 1;
      return Promise.reject(Object.assign(new Error('behind'), { code: 'SERVER_BEHIND_TRUST' }));
    };
    expect(await Promise.all([read('k1', new TestReader(true)), read('k1'), read('k2')])).toEqual([
      'SERVER_BEHIND_TRUST',
      'v1',
      'v2',
    ]);
    expect(probes).toBe(1);
    expect(await readMany(3)).toEqual(['v0', 'v1', 'v2']);
    expect(probes).toBe(1);
    takesAlone = false;
    expect(await read('k1', new TestReader(true))).toBe('SERVER_BEHIND_TRUST');
    fake.intercept = () => {
      throw new TransportError('UNAVAILABLE', 'gone');
    };
    expect(await read('k1', new TestReader(true))).toBe('UNAVAILABLE');
  });
});

describe('keys that are read together', () => {
  test('come in one answer, in their order', async () => {
    expect(await together(['k3', 'none', 'k1'])).toEqual(['v3', 'missing', 'v1']);
    expect(fake.methods()).toEqual(['GetAll']);
    expect(await together(['k3'])).toEqual(['v3']);
    expect(fake.methods()).toEqual(['Get']);
  });

  test('are told in parts where there are many, unless some are missing', async () => {
    const many = Array.from({ length: 700 }, (_, i) => `p${i}`);
    fake.chain.set(...many.map((key): [string, string] => [key, `v of ${key}`]));
    const told: number[] = [];
    expect(await together(many, told)).toEqual(many.map((key) => `v of ${key}`));
    expect(told).toEqual([0, 256, 512]);
    expect(sizes()).toEqual([700]);
    told.length = 0;
    const missing = [...many.slice(0, 600), 'none'];
    expect(await together(missing, told)).toEqual([
      ...many.slice(0, 600).map((key) => `v of ${key}`),
      'missing',
    ]);
    expect(told).toEqual([0]);
    // What cannot be cut is refuted whole.
    fake.intercept = ({ answer }) => Buffer.concat([answer(), Buffer.from([0x0a])]);
    expect(new Set(await together(many))).toEqual(new Set(['refuted']));
  });

  test('may be named more than once, wherever the missing ones are', async () => {
    expect(await together(['none', 'k1', 'k1'])).toEqual(['missing', 'v1', 'v1']);
    expect(await together(['k1', 'k2', 'k1', 'none', 'none', 'k2'])).toEqual([
      'v1',
      'v2',
      'v1',
      'missing',
      'missing',
      'v2',
    ]);
    expect(sizes()).toEqual([2, 3]);
    expect(await together(['k1', 'k1'])).toEqual(['v1', 'v1']);
  });

  test('come in several answers when there are too many for one', async () => {
    const keys = Array.from({ length: 1200 }, (_, i) => `k${i}`);
    expect(await together(keys)).toEqual(keys.map((_, i) => `v${i}`));
    expect(sizes().length).toBeGreaterThan(1);
  });
});
