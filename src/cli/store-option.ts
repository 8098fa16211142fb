// The log that an auditor's command looks at: that of a store, of an archive, or of a store that is damaged. It must be there,
// and is never made.
import { SqliteRootStore, StoreError, defaultStorePath } from '../index.js';
import { openArchive, openForReading } from '../audit.js';
import type { AuditLog, HeaderStore, RootStore } from '../index.js';
import { isPostgresUrl } from '../store/postgres-url.js';
import { addressesOf } from '../store/postgres/link/address.js';
import type { ChainPoint, ReadStore, StoreDamage } from '../audit.js';
import type * as Postgres from '../postgres.js';
import { UsageError } from './command.js';
import type { Io } from './command.js';
import { visible } from '../visible.js';

export const STORE_OPTION = {
  store: {
    type: 'string',
    value: 'FILE|URL',
    says: 'root store, a file or postgres://…; default: $IMMU_TS_STORE, or where clients keep theirs',
  },
} as const;

export const LOG_OPTIONS = {
  ...STORE_OPTION,
  archive: { type: 'string', value: 'FILE', says: 'an archive in place of a store' },
  damaged: { type: 'boolean', says: 'opens a damaged store too, for looking only, and says what is broken' },
} as const;

export interface LogWords {
  readonly store: string | undefined;
  readonly archive: string | undefined;
  readonly damaged: boolean;
}

/** A log that is open for reading. */
export interface OpenLog extends AsyncDisposable {
  readonly path: string;
  readonly audit: AuditLog;
  /** Of a store. */
  readonly headers?: HeaderStore;
  /** Of an archive: what its first row follows. */
  readonly startsAfter?: ChainPoint;
  /** What is broken in it, where that is no reason to refuse it. */
  readonly damage?: () => Promise<readonly StoreDamage[]>;
}

/** Where that log is, as it may be shown. */
export function logPath({ store, archive }: LogWords): string {
  if (archive !== undefined) return archive;
  const path = store ?? defaultStorePath();
  return isPostgresUrl(path) ? (addressesOf(path)[0]?.label ?? '') : path;
}

/** A root store of either kind. */
export interface OpenStore extends RootStore, AsyncDisposable {
  readonly path: string;
  readonly headers: HeaderStore;
}

/** Not an archive, nor what is left of a damaged store. */
export function isRootStore(log: OpenLog): log is OpenStore {
  return 'advance' in log;
}

/** The name of a store, as it may be shown and given again. */
export function withoutPassword(path: string): string {
  if (!isPostgresUrl(path) || !URL.canParse(path)) return path;
  const url = new URL(path);
  url.password = '';
  url.searchParams.delete('password');
  return url.href;
}

export function openStore(
  path: string | undefined,
  create: 'if-new' | 'never' = 'never',
): Promise<OpenStore> {
  const place = path ?? defaultStorePath();
  return isPostgresUrl(place) ? openPostgres(place, create) : SqliteRootStore.open(place, { create });
}

async function openPostgres(url: string, create: 'if-new' | 'never'): Promise<OpenStore> {
  const { PostgresRootStore } = await loadPostgres('a store');
  return PostgresRootStore.open(url, { create });
}

/** What needs the package `pg`. @throws UsageError, for `what` in PostgreSQL, where it is not installed */
export async function loadPostgres(what: string): Promise<typeof Postgres> {
  try {
    return await import('../postgres.js');
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && /MODULE_NOT_FOUND$/.test(String(error.code));
    if (!isMissing) throw error;
    throw new UsageError(
      `${what} in PostgreSQL needs the package pg, which is not installed along: npm install pg`,
    );
  }
}

/** What a client is given as its store: a file it opens by itself, a store in PostgreSQL is opened for it, and closed behind it. */
export async function clientStore(
  path: string | undefined,
): Promise<{ readonly store: string | OpenStore } & AsyncDisposable> {
  const place = path ?? defaultStorePath();
  if (!isPostgresUrl(place)) return { store: place, [Symbol.asyncDispose]: () => Promise.resolve() };
  const store = await openStore(place, 'if-new');
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

/**
 * Whatever is broken in a store that is opened all the same is said on standard error.
 *
 * @throws UsageError for words that do not go together
 */
export async function openLog(
  { store, archive, damaged }: LogWords,
  { err }: Pick<Io, 'err'>,
): Promise<OpenLog> {
  if (archive !== undefined && (store !== undefined || damaged)) {
    throw new UsageError(`--archive goes in place of ${store === undefined ? '--damaged' : '--store'}`);
  }
  if (archive !== undefined) return openedArchive(archive);
  if (!damaged) return openStore(store).catch(lookWith);
  const place = store ?? defaultStorePath();
  if (isPostgresUrl(place)) throw new UsageError('--damaged is for the file of a store, not for PostgreSQL');
  const opened = await openForReading(place);
  const tell = damageTeller(opened, err);
  try {
    await tell(true);
  } catch (error) {
    await opened.close();
    throw error;
  }
  const { path, audit } = opened;
  // Rows that turned out to be unreadable meanwhile.
  const end = () => tell(false).finally(() => opened.close());
  return { path, audit, damage: () => opened.damage(), [Symbol.asyncDispose]: end };
}

async function openedArchive(archive: string): Promise<OpenLog> {
  const opened = await openArchive(archive);
  const { path, audit, firstSeq, startHash } = opened;
  const startsAfter = { seq: firstSeq - 1n, hash: startHash };
  return { path, audit, startsAfter, [Symbol.asyncDispose]: () => opened.close() };
}

/** Says each finding once. */
function damageTeller(store: ReadStore, err: Io['err']): (first: boolean) => Promise<void> {
  let told = 0;
  return async (first) => {
    const damage = await store.damage();
    for (const each of damage.slice(told)) await err.add(`DAMAGED: ${damageWords(each)}\n`);
    told = damage.length;
    if (first) {
      const sum =
        told === 0 ? 'nothing is found to be broken by opening it' : `${told} findings by opening it`;
      const copy = store.isCopy ? ', as a copy, for it cannot be written to where it is' : '';
      await err.add(
        `${visible(store.path)} is open for looking only${copy}: ${sum}; audit verify looks at all\n`,
      );
    }
    await err.flush();
  };
}

export function damageWords({ seq, finding }: StoreDamage): string {
  return `${seq === null ? '' : `row ${seq.toString()}: `}${visible(finding)}`;
}

function lookWith(error: unknown): never {
  if (!(error instanceof StoreError) || error.code !== 'STORE_DAMAGED') throw error;
  throw new StoreError(error.code, `${error.message} (look at it with --damaged)`, { cause: error });
}

/** Hash that row `seq` follows; null when neither the row before it nor what the log starts from is at hand. */
export async function hashBefore(
  { audit, startsAfter }: Pick<OpenLog, 'audit' | 'startsAfter'>,
  seq: bigint,
): Promise<Uint8Array | null> {
  if (startsAfter?.seq === seq - 1n) return startsAfter.hash;
  const previous = seq > 1n ? await audit.row(seq - 1n) : null;
  if (previous) return previous.hash;
  const archives = await audit.archives();
  return archives.find(({ lastSeq }) => lastSeq === seq - 1n)?.lastHash ?? null;
}
