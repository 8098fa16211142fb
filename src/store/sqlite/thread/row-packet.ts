// Rows on their way to the store's thread, as bytes: names are sent once and known by a number, the rest has its place. The
// objects, strings and buffers of every row, cloned and collected, would cost more than all the rest of the way (measured).
//
//   row = u32 id ‖ u8 flags ‖ u32 names ‖ u32 client ‖ u64 tx ‖ u64 previous tx ‖ i64 header time ‖ u32 calls
//         ‖ f64 verified at ‖ f64 duration ‖ 32 bytes alh
//         ‖ [u64 tx ‖ 32 bytes alh] of the expected root ‖ [u32 length ‖ signature] ‖ [u32 length ‖ key fingerprint]
import { ByteReader, ByteWriter } from '../../../proof/byte-cursor.js';
import { HASH_SIZE } from '../../../proof/hash.js';
import type { AuditEntry, AuditOutcome } from '../../audit-types.js';
import type { RowRequest } from '../../log/requests.js';
import type { Numbered } from './numbered.js';
import { within } from '../tables/nested.js';

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
  readonly #bytes = new RowBytes(16 * 1024, (size) => new Uint8Array(size));
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
    const hasExtra = detail !== undefined || evidence !== undefined;
    this.#bytes
      .u32(id)
      .u8(
        (kind === 'advance' ? 0 : kind === 'record' ? RECORD : FORGET) |
          (expected ? HAS_EXPECTED : 0) |
          (previousTx === null ? 0 : HAS_PREVIOUS) |
          (signature ? HAS_SIGNATURE : 0) |
          (keyFingerprint ? HAS_FINGERPRINT : 0) |
          (hasExtra ? HAS_EXTRA : 0),
      )
      .u32(this.#numberOf(entry))
      .u32(this.#clientOf(entry.clientId))
      .u64(entry.tx)
      .u64(previousTx ?? 0n)
      .i64(entry.headerTime)
      .u32(entry.calls)
      .f64(entry.verifiedAt)
      .f64(entry.durationMs)
      .raw(entry.alh);
    if (expected) this.#bytes.u64(expected.tx).raw(expected.alh);
    if (signature) this.#bytes.bytes(signature);
    if (keyFingerprint) this.#bytes.bytes(keyFingerprint);
    if (hasExtra)
      this.#extras.push({ ...(detail !== undefined && { detail }), ...(evidence && { evidence }) });
    this.#rows += 1;
  }

  /** What was added since, and no more than that. */
  take(): RowPacket {
    const packet = {
      rows: this.#rows,
      bytes: this.#bytes.copy(),
      names: this.#newNames,
      clients: this.#newClients,
      extras: this.#extras,
      anew: this.#anew,
    };
    this.#bytes.reset();
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
}

class RowBytes extends ByteWriter {
  copy(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
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

class RowReader extends ByteReader {
  readonly #extras: readonly Extra[];
  #extra = 0;

  constructor(bytes: Uint8Array, extras: readonly Extra[]) {
    super(bytes);
    this.#extras = extras;
  }

  next(names: readonly RowNames[], clients: readonly string[]): Numbered<RowRequest> {
    const id = this.u32();
    const flags = this.u8();
    const known = names[this.u32()];
    const clientId = clients[this.u32()];
    if (!known || clientId === undefined) throw new Error('a row has names that were not sent');
    const { server, database, operation, outcome } = known;
    const tx = this.u64();
    const previous = this.u64();
    const previousTx = flags & HAS_PREVIOUS ? previous : null;
    const headerTime = this.i64();
    const calls = this.u32();
    const verifiedAt = this.f64();
    const durationMs = this.f64();
    const alh = this.#copy(HASH_SIZE);
    const expected = flags & HAS_EXPECTED ? { tx: this.u64(), alh: this.#copy(HASH_SIZE) } : null;
    const entry: AuditEntry = {
      server,
      database,
      tx,
      alh,
      outcome,
      previousTx,
      operation,
      calls,
      headerTime,
      verifiedAt,
      durationMs,
      clientId,
    };
    const whole = flags < HAS_SIGNATURE ? entry : this.#withRest(entry, flags);
    if (flags & (RECORD | FORGET)) {
      return { id, request: { kind: flags & RECORD ? 'record' : 'forget', entry: whole } };
    }
    return { id, request: { kind: 'advance', expected, entry: whole } };
  }

  #withRest(entry: AuditEntry, flags: number): AuditEntry {
    return {
      ...entry,
      ...(flags & HAS_SIGNATURE && { signature: this.#copy(this.u32()) }),
      ...(flags & HAS_FINGERPRINT && { keyFingerprint: this.#copy(this.u32()) }),
      ...(flags & HAS_EXTRA && this.#extras[this.#extra++]),
    };
  }

  /** What is read outlives the packet. */
  #copy(length: number): Uint8Array {
    return this.raw(length).slice();
  }
}
