// Rows on their way to the store's thread, as bytes: names are sent once and known by a number, the rest has its place. The
// objects, strings and buffers of every row, cloned and collected, would cost more than all the rest of the way (measured).
//
//   row = u32 id ‖ u8 flags ‖ u32 names ‖ u32 client ‖ u64 tx ‖ u64 previous tx ‖ i64 header time ‖ u32 calls
//         ‖ f64 verified at ‖ f64 duration ‖ 32 bytes alh
//         ‖ [u64 tx ‖ 32 bytes alh] of the expected root ‖ [u32 length ‖ signature] ‖ [u32 length ‖ key fingerprint]
import { HASH_SIZE } from '../../proof/hash.js';
import type { AuditEntry, AuditOutcome, StoredRoot } from '../audit-types.js';
import type { Numbered, RowRequest } from './messages.js';
import { within } from './nested.js';

/** Bytes of a row without what is optional, and of the expected root. */
const FIXED = 57 + HASH_SIZE;
const EXPECTED = 8 + HASH_SIZE;
/** Names that are known by a number: beyond it numbers are given anew. */
const MAX_NAMES = 8192;

const RECORD = 1;
const FORGET = 2;
const HAS_EXPECTED = 4;
const HAS_PREVIOUS = 8;
const HAS_SIGNATURE = 16;
const HAS_FINGERPRINT = 32;
const HAS_EXTRA = 64;

/** What rows have in common. */
export interface RowNames {
  readonly server: string;
  readonly database: string;
  readonly operation: string;
  readonly outcome: AuditOutcome;
}

/** What few rows have. */
type Extra = Pick<AuditEntry, 'detail' | 'evidence'>;

export interface RowPacket {
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Those that are new. */
  readonly names: readonly RowNames[];
  readonly clients: readonly string[];
  /** Of the rows that have one, in their order. */
  readonly extras: readonly Extra[];
  /** Numbers begin anew with this packet. */
  readonly anew: boolean;
}

export class RowPacker {
  #buffer = new Uint8Array(16 * 1024);
  #view = new DataView(this.#buffer.buffer);
  #at = 0;
  #rows = 0;
  #extras: Extra[] = [];
  #newNames: RowNames[] = [];
  #newClients: string[] = [];
  /** Numbers of names by server, database, operation and outcome: no key has to be made of them. */
  readonly #numbers = new Map<string, Map<string, Map<string, Map<string, number>>>>();
  readonly #clients = new Map<string, number>();
  #names = 0;
  #anew = false;

  get rows(): number {
    return this.#rows;
  }

  /** Requires an entry that was checked. Bytes are copied; evidence is not. */
  add(id: number, { kind, entry, ...rest }: RowRequest): void {
    const expected = 'expected' in rest ? rest.expected : null;
    const { previousTx, signature, keyFingerprint, detail, evidence } = entry;
    const names = this.#numberOf(entry);
    const client = this.#clientOf(entry.clientId);
    this.#reserve(FIXED + EXPECTED + 8 + (signature?.length ?? 0) + (keyFingerprint?.length ?? 0));
    const view = this.#view;
    const at = this.#at;
    view.setUint32(at, id);
    view.setUint32(at + 5, names);
    view.setUint32(at + 9, client);
    view.setBigUint64(at + 13, entry.tx);
    view.setBigUint64(at + 21, previousTx ?? 0n);
    view.setBigInt64(at + 29, entry.headerTime);
    view.setUint32(at + 37, entry.calls);
    view.setFloat64(at + 41, entry.verifiedAt);
    view.setFloat64(at + 49, entry.durationMs);
    this.#buffer.set(entry.alh, at + 57);
    let end = at + FIXED;
    let flags = kind === 'advance' ? 0 : kind === 'record' ? RECORD : FORGET;
    if (previousTx !== null) flags |= HAS_PREVIOUS;
    if (expected) {
      flags |= HAS_EXPECTED;
      view.setBigUint64(end, expected.tx);
      this.#buffer.set(expected.alh, end + 8);
      end += EXPECTED;
    }
    if (signature) {
      flags |= HAS_SIGNATURE;
      end = this.#bytes(signature, end);
    }
    if (keyFingerprint) {
      flags |= HAS_FINGERPRINT;
      end = this.#bytes(keyFingerprint, end);
    }
    if (detail !== undefined || evidence) {
      flags |= HAS_EXTRA;
      this.#extras.push({ ...(detail !== undefined && { detail }), ...(evidence && { evidence }) });
    }
    view.setUint8(at + 4, flags);
    this.#at = end;
    this.#rows += 1;
  }

  /** What was added since, and no more than that. */
  take(): RowPacket {
    const packet = {
      rows: this.#rows,
      bytes: this.#buffer.slice(0, this.#at),
      names: this.#newNames,
      clients: this.#newClients,
      extras: this.#extras,
      anew: this.#anew,
    };
    this.#at = 0;
    this.#rows = 0;
    this.#newNames = [];
    this.#newClients = [];
    this.#extras = [];
    this.#anew = this.#names > MAX_NAMES || this.#clients.size > MAX_NAMES;
    if (this.#anew) {
      this.#numbers.clear();
      this.#clients.clear();
      this.#names = 0;
    }
    return packet;
  }

  #numberOf({ server, database, operation, outcome }: AuditEntry): number {
    const siblings = within(within(within(this.#numbers, server), database), operation);
    let number = siblings.get(outcome);
    if (number === undefined) {
      number = this.#names++;
      siblings.set(outcome, number);
      this.#newNames.push({ server, database, operation, outcome });
    }
    return number;
  }

  #clientOf(text: string): number {
    let number = this.#clients.get(text);
    if (number === undefined) {
      number = this.#clients.size;
      this.#clients.set(text, number);
      this.#newClients.push(text);
    }
    return number;
  }

  #bytes(value: Uint8Array, at: number): number {
    this.#view.setUint32(at, value.length);
    this.#buffer.set(value, at + 4);
    return at + 4 + value.length;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#at + length, 2 * this.#buffer.length));
    larger.set(this.#buffer);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** The far side of a {@link RowPacker}: needs every packet of it, in order. */
export class RowUnpacker {
  readonly #names: RowNames[] = [];
  readonly #clients: string[] = [];

  unpack({ rows, bytes, names, clients, extras, anew }: RowPacket): Numbered<RowRequest>[] {
    if (anew) {
      this.#names.length = 0;
      this.#clients.length = 0;
    }
    for (const name of names) this.#names.push(name);
    for (const client of clients) this.#clients.push(client);
    const reader = new RowReader(bytes, extras);
    return Array.from({ length: rows }, () => reader.next(this.#names, this.#clients));
  }
}

class RowReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #extras: readonly Extra[];
  #at = 0;
  #extra = 0;

  constructor(bytes: Uint8Array, extras: readonly Extra[]) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#extras = extras;
  }

  next(names: readonly RowNames[], clients: readonly string[]): Numbered<RowRequest> {
    const view = this.#view;
    const at = this.#at;
    const flags = view.getUint8(at + 4);
    const known = names[view.getUint32(at + 5)];
    const clientId = clients[view.getUint32(at + 9)];
    if (!known || clientId === undefined) throw new Error('a row has names that were not sent');
    this.#at += FIXED;
    const expected = flags & HAS_EXPECTED ? this.#root() : null;
    const entry: AuditEntry = {
      server: known.server,
      database: known.database,
      tx: view.getBigUint64(at + 13),
      alh: this.#bytes.slice(at + 57, at + FIXED),
      outcome: known.outcome,
      previousTx: flags & HAS_PREVIOUS ? view.getBigUint64(at + 21) : null,
      operation: known.operation,
      calls: view.getUint32(at + 37),
      headerTime: view.getBigInt64(at + 29),
      verifiedAt: view.getFloat64(at + 41),
      durationMs: view.getFloat64(at + 49),
      clientId,
    };
    const whole = flags < HAS_SIGNATURE ? entry : this.#withRest(entry, flags);
    const id = view.getUint32(at);
    if (flags & (RECORD | FORGET)) {
      return { id, request: { kind: flags & RECORD ? 'record' : 'forget', entry: whole } };
    }
    return { id, request: { kind: 'advance', expected, entry: whole } };
  }

  #withRest(entry: AuditEntry, flags: number): AuditEntry {
    return {
      ...entry,
      ...(flags & HAS_SIGNATURE && { signature: this.#take() }),
      ...(flags & HAS_FINGERPRINT && { keyFingerprint: this.#take() }),
      ...(flags & HAS_EXTRA && this.#extras[this.#extra++]),
    };
  }

  #root(): StoredRoot {
    const at = this.#at;
    this.#at += EXPECTED;
    return { tx: this.#view.getBigUint64(at), alh: this.#bytes.slice(at + 8, at + EXPECTED) };
  }

  #take(): Uint8Array {
    const start = this.#at + 4;
    this.#at = start + this.#view.getUint32(this.#at);
    return this.#bytes.slice(start, this.#at);
  }
}
