// The file that an index of a follower is kept in between two processes. It is not trusted for being there: the audit log has its
// SHA-256. Nobody else may read it: with its salt, two keys could be looked for that are taken for one.
import { hash as sha256Hex, createHash } from 'node:crypto';
import { copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Root } from '../../../verify/verifier.js';
import { CompactIndex } from './compact-index.js';
import type { ObservedRow } from './row-observers.js';
import { SqliteIndex } from './sqlite-index.js';

/** Everything that a follower goes on from. */
export interface IndexState {
  readonly from: Root;
  readonly at: Root;
  readonly index: CompactIndex | SqliteIndex;
  /** Names of the keys in a file of SQLite are those of this salt; absent: the keys themselves. */
  readonly salt?: Uint8Array;
  /** Rows of catalogs. */
  readonly rows: readonly ObservedRow[];
}

/** What the file begins with: one line of JSON, behind the line of {@link MAGIC}. */
interface Head {
  readonly server: string;
  readonly database: string;
  readonly from: TextRoot;
  readonly at: TextRoot;
  readonly rows: readonly TextRow[];
  readonly salt?: string;
  /** Of the index in memory: what follows. */
  readonly compact?: { readonly keys: number; readonly rowBytes: number; readonly expiries: number };
  /** SHA-256 of the file of SQLite beside it. */
  readonly sqlite?: string;
}

type TextRoot = readonly [tx: string, alh: string];
type TextRow = readonly [
  tx: string,
  key: string,
  hash: string,
  deleted: boolean,
  nonIndexable: boolean,
  expiresAt?: string,
];

const MAGIC = 'immu-ts follow 1\n';
/** Bytes that are hashed, or copied, before others have their turn. */
const PART_BYTES = 8 * 1024 * 1024;
const OWN_MODE = 0o600;

export interface FileOwner {
  readonly server: string;
  readonly database: string;
}

/** A file that was read, whatever it says. */
export interface ReadFile {
  /** SHA-256 of all of it, in hex. */
  readonly seal: string;
  readonly bytes: Uint8Array;
}

/** Undefined: there is none. */
export async function readIndexFile(path: string): Promise<ReadFile | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return { seal: await hashOf([bytes]), bytes };
}

/** Whose it is. `unreadable`: a follower wrote it, and it is damaged; `none`: no follower did. */
export function ownerOf({ bytes }: ReadFile): FileOwner | 'unreadable' | 'none' {
  if (!hasMagic(bytes)) return 'none';
  const { server, database } = (headOf(bytes)?.head ?? {}) as Partial<FileOwner>;
  return typeof server === 'string' && typeof database === 'string' ? { server, database } : 'unreadable';
}

/** What a file holds that is known to be as it was written. Undefined: what lies beside it is not. */
export async function unpackIndexFile(path: string, { bytes }: ReadFile): Promise<IndexState | undefined> {
  const read = headOf(bytes);
  if (!read) return undefined;
  const { head, end } = read;
  const salt = head.salt === undefined ? {} : { salt: Buffer.from(head.salt, 'hex') };
  const common = { from: rootOf(head.from), at: rootOf(head.at), rows: head.rows.map(rowOf), ...salt };
  if (head.compact) {
    const { keys, rowBytes, expiries } = head.compact;
    const rowsEnd = end + keys * rowBytes;
    const packed = {
      ...{ keys, salt: salt.salt ?? new Uint8Array(0) },
      rows: [bytes.subarray(end, rowsEnd)],
      expiries: bytes.subarray(rowsEnd, rowsEnd + expiries),
    };
    return { ...common, index: CompactIndex.unpack(packed) };
  }
  const own = join(mkdtempSync(join(tmpdir(), 'immu-ts-follow-')), 'index.sqlite');
  await copyFile(beside(path), own);
  if ((await hashOfFile(own)) !== head.sqlite) {
    await rm(join(own, '..'), { recursive: true, force: true });
    return undefined;
  }
  const names = salt.salt ? new CompactIndex(salt.salt) : undefined;
  return { ...common, index: new SqliteIndex(names && ((key) => names.nameOf(key)), own) };
}

/** Writes a file in place of the one that was there; returns its SHA-256. Nothing may be put into the index meanwhile. */
export async function writeIndexFile(path: string, owner: FileOwner, state: IndexState): Promise<string> {
  const { from, at, index, salt, rows } = state;
  const head: Head = {
    ...owner,
    ...{ from: textOf(from), at: textOf(at), rows: rows.map(textOfRow) },
    ...(salt && { salt: Buffer.from(salt).toString('hex') }),
  };
  if (index instanceof SqliteIndex) {
    const copy = `${beside(path)}.new`;
    await index.copyTo(copy);
    const sqlite = await hashOfFile(copy);
    const parts = [headBytes({ ...head, sqlite })];
    const seal = await hashOf(parts);
    await rename(copy, beside(path));
    await writeParts(path, parts);
    return seal;
  }
  const packed = index.pack();
  const compact = { keys: packed.keys, rowBytes: packed.rowBytes, expiries: packed.expiries.length };
  const salted = { ...head, salt: Buffer.from(packed.salt).toString('hex'), compact };
  const parts = [headBytes(salted), ...packed.rows, packed.expiries];
  const seal = await hashOf(parts);
  await writeParts(path, parts);
  return seal;
}

export async function dropIndexFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(beside(path), { force: true });
}

function beside(path: string): string {
  return `${path}.sqlite`;
}

function headBytes(head: Head): Uint8Array {
  return Buffer.from(`${MAGIC}${JSON.stringify(head)}\n`);
}

function hasMagic(bytes: Uint8Array): boolean {
  return Buffer.from(MAGIC).equals(bytes.subarray(0, MAGIC.length));
}

function headOf(bytes: Uint8Array): { head: Head; end: number } | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf('\n', MAGIC.length) + 1;
  if (end === 0) return undefined;
  try {
    return { head: JSON.parse(buffer.subarray(MAGIC.length, end).toString()) as Head, end };
  } catch {
    return undefined;
  }
}

/** Whole, or not at all: a process that ends here leaves the file that was there. */
async function writeParts(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(`${path}.new`, 'w', OWN_MODE);
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function hashOf(parts: readonly Uint8Array[]): Promise<string> {
  if (parts.length === 1 && (parts[0] as Uint8Array).length <= PART_BYTES)
    return sha256Hex('sha256', parts[0] as Uint8Array);
  const running = createHash('sha256');
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PART_BYTES) {
      running.update(part.subarray(at, at + PART_BYTES));
      await new Promise((resume) => setImmediate(resume));
    }
  }
  return running.digest('hex');
}

export async function hashOfFile(path: string): Promise<string> {
  const running = createHash('sha256');
  const file = await open(path, 'r');
  try {
    for await (const part of file.createReadStream({ highWaterMark: 1 << 20 }))
      running.update(part as Uint8Array);
  } finally {
    await file.close().catch(() => undefined);
  }
  return running.digest('hex');
}

function textOf({ tx, alh }: Root): TextRoot {
  return [tx.toString(), Buffer.from(alh).toString('hex')];
}

function rootOf([tx, alh]: TextRoot): Root {
  return { tx: BigInt(tx), alh: new Uint8Array(Buffer.from(alh, 'hex')) };
}

function textOfRow({ tx, key, hValue, deleted, nonIndexable, expiresAt }: ObservedRow): TextRow {
  const [name, hash] = [key, hValue].map((bytes) => Buffer.from(bytes).toString('base64'));
  const expiry: [string?] = expiresAt === undefined ? [] : [expiresAt.toString()];
  return [tx.toString(), name as string, hash as string, deleted, nonIndexable, ...expiry];
}

function rowOf([tx, key, hash, deleted, nonIndexable, expiresAt]: TextRow): ObservedRow {
  const [name, hValue] = [key, hash].map((text) => new Uint8Array(Buffer.from(text, 'base64')));
  const bytes = { key: name as Uint8Array, hValue: hValue as Uint8Array };
  const expiry = expiresAt === undefined ? {} : { expiresAt: BigInt(expiresAt) };
  return { tx: BigInt(tx), ...bytes, deleted, nonIndexable, ...expiry };
}
