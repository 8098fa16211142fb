// All databases of a ledger: systemdb with users and settings, defaultdb, and those that callers create.
import { hash } from 'node:crypto';
import { concatBytes, equalBytes } from '../../proof/bytes.js';
import { entriesRoot } from '../../proof/tree/entries-tree.js';
import { digestOf, plainKey, plainValue } from '../../proof/entry.js';
import { StoreError } from '../../errors.js';
import { Database } from './database.js';
import type { DatabaseFormat, Journal } from './database.js';
import type { LedgerDisk } from './disk.js';
import { refuse } from '../errors.js';
import { readKeys } from '../kv/key-reader.js';
import { formatOf, isAutoloaded, limitsOf, newSettings } from './settings.js';
import type { WireSettings } from './settings.js';

export const SYSTEM_DB = 'systemdb';
export const DEFAULT_DB = 'defaultdb';

export interface DatabaseRecord {
  readonly name: string;
  settings: WireSettings;
  readonly createdAtMs: number;
  readonly createdBy: string;
  deleted: boolean;
  /** Absent while the database is unloaded. */
  database: Database | undefined;
}

const SETTINGS_PREFIX = new Uint8Array([2]);

export class Databases {
  readonly system: Database;
  readonly #disk: LedgerDisk | undefined;
  readonly #records = new Map<string, DatabaseRecord>();
  readonly #unloaded = new Map<string, Database>();
  /** Their names are taken until the ledger is started anew. */
  readonly #deleted = new Set<string>();

  constructor(disk: LedgerDisk | undefined, defaults: DatabaseFormat) {
    this.#disk = disk;
    this.system = this.#load(SYSTEM_DB, newSettings(null));
    for (const record of this.#saved()) {
      this.#records.set(record.name, record);
      if (!record.deleted && isAutoloaded(record.settings)) this.load(record);
    }
    if (!this.#records.has(DEFAULT_DB)) {
      this.create(DEFAULT_DB, '', {
        writeTxHeaderVersion: { value: defaults.headerVersion },
        excludeCommitTime: { value: defaults.excludeCommitTime },
      });
    }
  }

  /** There is more than defaultdb. */
  get areMany(): boolean {
    return this.#records.size > 1;
  }

  list(): DatabaseRecord[] {
    return [...this.#records.values()].filter((record) => !record.deleted);
  }

  find(name: string): DatabaseRecord | undefined {
    const record = this.#records.get(name);
    return record?.deleted === true ? undefined : record;
  }

  wasDeleted(name: string): boolean {
    return this.#deleted.has(name);
  }

  /** The database, ready to be used. Throws when there is none or it is unloaded. */
  use(name: string): Database {
    if (name === SYSTEM_DB) return this.system;
    const record = this.find(name);
    if (!record) throw refuse.databaseMissing();
    if (!record.database) throw refuse.alreadyClosed();
    return record.database;
  }

  create(name: string, createdBy: string, settings: WireSettings | null | undefined): DatabaseRecord {
    const record: DatabaseRecord = {
      name,
      settings: newSettings(settings, name),
      createdAtMs: Date.now(),
      createdBy,
      deleted: false,
      database: undefined,
    };
    this.save(record);
    this.#records.set(name, record);
    this.load(record);
    return record;
  }

  load(record: DatabaseRecord): void {
    record.database = this.#load(record.name, record.settings);
  }

  delete(record: DatabaseRecord): void {
    if (record.database) throw refuse.databaseOpen();
    record.deleted = true;
    this.#deleted.add(record.name);
    this.save(record);
    this.#disk?.forget(record.name);
    this.#unloaded.delete(record.name);
  }

  /** In memory there is nowhere to load from again, so an unloaded database is only put aside. */
  unload(record: DatabaseRecord): void {
    if (!record.database) throw refuse.alreadyClosed();
    if (!this.#disk) this.#unloaded.set(record.name, record.database);
    record.database = undefined;
  }

  /** Writes the settings down in systemdb. */
  save(record: DatabaseRecord): void {
    const saved = { ...record, database: undefined };
    const spec = {
      key: plainKey(concatBytes(SETTINGS_PREFIX, Buffer.from(record.name))),
      value: plainValue(Buffer.from(JSON.stringify(saved))),
    };
    this.system.commit(this.system.prepare([spec]));
  }

  #saved(): DatabaseRecord[] {
    const range = {
      seekKey: new Uint8Array(0),
      endKey: new Uint8Array(0),
      prefix: plainKey(SETTINGS_PREFIX),
      descending: false,
      inclusiveSeek: true,
      inclusiveEnd: true,
    };
    return [...readKeys(this.system.index, range, this.system.limits.maxKeyBytes)].map(({ entry }) => {
      const json = Buffer.from(this.system.log.value(entry).subarray(1)).toString();
      return { ...(JSON.parse(json) as Omit<DatabaseRecord, 'database'>), database: undefined };
    });
  }

  #load(name: string, settings: WireSettings): Database {
    const unloaded = this.#unloaded.get(name);
    if (unloaded) {
      this.#unloaded.delete(name);
      return unloaded;
    }
    const disk = this.#disk;
    const journal: Journal | undefined = disk && ((header, entries) => disk.append(name, header, entries));
    const database = new Database(name, limitsOf(settings), formatOf(settings), journal);
    if (disk) readBack(database, disk);
    return database;
  }
}

/** Repeats the transactions of a directory; each must follow from the one before and hold what its header says. */
function readBack(database: Database, disk: LedgerDisk): void {
  for (const { header, entries } of disk.read(database.name)) {
    const stored = entries.map((entry) => ({
      key: entry.key,
      metadata: entry.metadata,
      value: entry.value,
      hValue: hash('sha256', entry.value, 'buffer'),
    }));
    const digests = stored.map((entry) => digestOf(header.version, entry.key, entry.metadata, entry.hValue));
    const follows =
      header.id === BigInt(database.last + 1) &&
      header.nentries === entries.length &&
      equalBytes(header.prevAlh, database.log.alh(database.last)) &&
      equalBytes(header.eH, entriesRoot(digests));
    if (!follows)
      throw new StoreError(
        'STORE_DAMAGED',
        `transaction ${header.id.toString()} of ${database.name} does not fit`,
      );
    database.replay(header, stored);
  }
}
