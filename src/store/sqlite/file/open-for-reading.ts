// Opening a store that nobody trusts any more, to look at what is left of it: nothing is refused for being damaged, nothing is
// written, and everything that is found to be broken is said.
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import { openSqlite } from '../../../sqlite/open.js';
import { StoreError } from '../../../errors.js';
import { STORE_ID_SIZE } from '../../log/checkpoint.js';
import { Damage } from './damage.js';
import { OpenLog } from '../log/open-log.js';
import { assertMarker, markerPath, readMarker } from './marker.js';
import { NO_VERSION, assertNotEmpty, assertOfUs, guarded, storeIdOf, version } from './open.js';
import type { OpenedStore } from './open.js';
import { APPLICATION_ID, SCHEMA_VERSION, strangeObject } from './schema.js';
import { tailFindings } from '../log/tail-check.js';

/** Header of a write-ahead log, and of each page in it. */
const WAL_HEADER = 32;
const WAL_PAGE_HEADER = 24;

/** What SQLite says where it would have to write: reading in WAL mode takes files of its own beside the store's. */
const NEEDS_TO_WRITE = /^SQLITE_(CANTOPEN|READONLY)/;

/**
 * Where nothing can be written, not even by reading, a private copy of the store is opened, which is gone with whoever reads it.
 *
 * @throws StoreError STORE_MISSING, STORE_FOREIGN, or STORE_DAMAGED when there is no database in it at all
 */
export function openStoreForReading(path: string): OpenedStore {
  if (!existsSync(path)) throw new StoreError('STORE_MISSING', `there is no root store at ${path}`);
  assertNotEmpty(path);
  try {
    return openFile(path, path);
  } catch (error) {
    if (!(isSqliteError(error) && NEEDS_TO_WRITE.test(error.code))) throw error;
    return openCopy(path);
  }
}

function openCopy(path: string): OpenedStore {
  const folder = mkdtempSync(join(tmpdir(), 'immu-ts-copy-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'roots.db');
    for (const suffix of ['', '-wal']) {
      if (!existsSync(path + suffix)) continue;
      copyFileSync(path + suffix, copy + suffix, constants.COPYFILE_FICLONE);
      chmodSync(copy + suffix, 0o600);
    }
    const { db, log } = openFile(path, copy);
    // What is open stays readable without its name; elsewhere the name has to stay as long.
    if (process.platform !== 'win32') remove();
    return { db, log, isCopy: true, closed: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @param file the store at `path`, or a copy of it */
function openFile(path: string, file: string): OpenedStore {
  const damage = new Damage();
  // Before it is opened: SQLite leaves a log behind itself.
  const wal = `${file}-wal`;
  if (existsSync(wal) && isCutOff(wal)) {
    damage.note(null, `${path}-wal ends in the middle of a page: the newest rows may be missing`);
  }
  const db = openSqlite(file, { readonly: true, fileMustExist: true });
  return guarded(db, path, () => {
    assertOfUs(db, path, APPLICATION_ID);
    // Without it the tables are taken for those of this release, which is then found or not.
    const schema = version(db) < 1 ? SCHEMA_VERSION : version(db);
    if (version(db) < 1) damage.note(null, `the store ${NO_VERSION}`);
    const marker = damage.noteErrors('the marker', () => readMarker(path) ?? null);
    if (marker === null) damage.note(null, `the marker ${markerPath(path)} is missing`);
    const strange = damage.noteErrors('the tables', () => strangeObject(db, schema));
    if (strange !== undefined) damage.note(null, `the tables are not as they were made: ${strange}`);
    const storeId = damage.noteErrors('the store id', () => storeIdOf(db, path));
    if (marker && storeId) damage.noteErrors('the marker', () => assertMarker(path, marker, storeId));
    const log = new OpenLog(db, storeId ?? new Uint8Array(STORE_ID_SIZE), damage);
    damage.noteErrors('the log', () =>
      log.settled(() => {
        for (const { seq, finding } of tailFindings(log)) damage.note(seq, finding);
      }),
    );
    return { db, log };
  });
}

function isCutOff(wal: string): boolean {
  const { size } = statSync(wal);
  if (size === 0) return false;
  const header = Buffer.alloc(WAL_HEADER);
  const file = openSync(wal, 'r');
  try {
    readSync(file, header, 0, WAL_HEADER, 0);
  } finally {
    closeSync(file);
  }
  const pageBytes = header.readUInt32BE(8);
  return size < WAL_HEADER || (size - WAL_HEADER) % (WAL_PAGE_HEADER + pageBytes) !== 0;
}
