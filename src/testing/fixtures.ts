// The ledger and a client of it for test runners: as a fixture of vitest, or around all tests of a file.
import type { ImmuClient, ImmuClientOptions } from '../index.js';
import { ArgumentError } from '../errors.js';
import { knownNames } from '../known-names.js';
import { EmbeddedLedger } from '../ledger/embedded-ledger.js';
import type { EmbeddedLedgerOptions } from '../ledger/options.js';

export interface LedgerFixtureOptions {
  /** How the ledger is started. */
  readonly ledger?: EmbeddedLedgerOptions;
  /** What the client is told besides where the ledger is. Its store is in memory, it checks on the calling thread. */
  readonly client?: Partial<Omit<ImmuClientOptions, 'address' | 'credentials'>>;
}

type Use<T> = (value: T) => Promise<void>;

/** What {@link ledgerFixture} adds to the context of a test. */
export interface LedgerContext {
  /** A ledger of this test alone, empty. */
  readonly ledger: EmbeddedLedger;
  /** A client of it, logged in as `immudb`. */
  readonly client: ImmuClient;
}

/** Fixtures as `test.extend` of vitest takes them. */
export interface LedgerFixture {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it needs nothing of the context
  readonly ledger: (context: {}, use: Use<EmbeddedLedger>) => Promise<void>;
  readonly client: (context: { readonly ledger: EmbeddedLedger }, use: Use<ImmuClient>) => Promise<void>;
}

/** The hooks of a test runner: those of jest and vitest, and `before` and `after` of `node:test` under these names. */
export interface Hooks {
  readonly beforeAll: (begin: () => Promise<void>) => unknown;
  readonly afterAll: (end: () => Promise<void>) => unknown;
}

/** What {@link ledgerHooks} has started. Requires that the tests have begun. */
export interface HookedLedger extends LedgerContext {
  /** `host:port` of the ledger. */
  readonly address: string;
}

/**
 * Fixtures for `test.extend` of vitest: every test that names `ledger` or `client` has its own, gone when the test ends.
 *
 * @throws ArgumentError for an option that there is not
 * @example
 * ```ts
 * import { test as base } from 'vitest';
 * const test = base.extend(ledgerFixture());
 * test('pays', async ({ client }) => {
 *   await client.verifiedSet('invoice/17', 'paid');
 * });
 * ```
 */
export function ledgerFixture(options: LedgerFixtureOptions = {}): LedgerFixture {
  checkOptions(options);
  // vitest reads from the source of these functions what they need.
  return {
    ledger: async ({}, use) => {
      await using ledger = await EmbeddedLedger.start(options.ledger);
      await use(ledger);
    },
    client: async ({ ledger }, use) => {
      await using client = await clientOf(ledger, options);
      await use(client);
    },
  };
}

/**
 * One ledger and one client for all tests of a file, started and ended by the hooks of any test runner.
 *
 * @throws ArgumentError for hooks that are none, and for an option that there is not
 * @example
 * ```ts
 * const server = ledgerHooks({ beforeAll, afterAll });
 * test('pays', async () => {
 *   await server.client.verifiedSet('invoice/17', 'paid');
 * });
 * ```
 */
export function ledgerHooks(hooks: Hooks, options: LedgerFixtureOptions = {}): HookedLedger {
  const given = hooks as Partial<Record<keyof Hooks, unknown>> | null | undefined;
  for (const name of ['beforeAll', 'afterAll'] as const)
    if (typeof given?.[name] !== 'function')
      throw new ArgumentError('hooks', `hooks.${name} must be the function of a test runner`);
  checkOptions(options);
  let started: LedgerContext | undefined;
  const running = () => {
    if (!started) throw new ArgumentError('hooks', 'the ledger runs between beforeAll and afterAll only');
    return started;
  };
  hooks.beforeAll(async () => {
    const ledger = await EmbeddedLedger.start(options.ledger);
    try {
      started = { ledger, client: await clientOf(ledger, options) };
    } catch (error) {
      await ledger.close();
      throw error;
    }
  });
  hooks.afterAll(async () => {
    const ended = started;
    started = undefined;
    try {
      await ended?.client.close();
    } finally {
      await ended?.ledger.close();
    }
  });
  return {
    get ledger() {
      return running().ledger;
    },
    get client() {
      return running().client;
    },
    get address() {
      return running().ledger.address;
    },
  };
}

/** Loads the client when it is needed: who wants the ledger alone need not wait for it. */
async function clientOf(
  ledger: EmbeddedLedger,
  { ledger: told, client }: LedgerFixtureOptions,
): Promise<ImmuClient> {
  const { ImmuClient: Client, MemoryRootStore } = await import('../index.js');
  return new Client({
    store: new MemoryRootStore(),
    verifier: { threads: 0 },
    ...client,
    address: ledger.address,
    credentials: { user: 'immudb', password: told?.adminPassword ?? 'immudb' },
  });
}

function checkOptions(options: LedgerFixtureOptions): void {
  if (typeof options !== 'object' || (options as object | null) === null)
    throw new ArgumentError('options', 'options must be an object');
  knownNames('options', options, ['ledger', 'client']);
}
