// Canonical bytes: numbers are big-endian, `bytes` = u32 length ‖ bytes, texts are UTF-8 bytes, an optional field is
// u8 0 (absent) or u8 1 ‖ field.

const MAX_NAMES = 4096;
const MAX_NAME_BYTES = 256;
const names = new Map<string, Uint8Array>();

/** Appends fields to one growing buffer. */
export class Canonical {
  #buffer = Buffer.alloc(512);
  #view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
  #at = 0;

  u8(value: number): this {
    // Reserving may replace the buffer: it comes first, here and below.
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  raw(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  text(value: string): this {
    const length = Buffer.byteLength(value, 'utf8');
    const at = this.u32(length).#reserve(length);
    this.#buffer.write(value, at, 'utf8');
    return this;
  }

  /** The same as `text` for one of few names that recur: their bytes are remembered. */
  name(value: string): this {
    let bytes = names.get(value);
    if (!bytes) {
      bytes = Buffer.from(value, 'utf8');
      if (names.size >= MAX_NAMES) names.clear();
      if (bytes.length <= MAX_NAME_BYTES) names.set(value, bytes);
    }
    return this.bytes(bytes);
  }

  optional<T>(value: T | null | undefined, write: (value: T) => void): void {
    if (value === null || value === undefined) {
      this.u8(0);
    } else {
      this.u8(1);
      write(value);
    }
  }

  /** What was appended; valid until the next field. */
  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Begins anew in the same buffer. */
  reset(): this {
    this.#at = 0;
    return this;
  }

  #reserve(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#at, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer, larger.byteOffset);
    }
    return at;
  }
}

/** Reads what {@link Canonical} wrote. Its methods throw RangeError when the bytes end early or do not fit. */
export class CanonicalReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  text(): string {
    const bytes = this.raw(this.u32());
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new RangeError('a text is not UTF-8');
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('there are bytes behind the end');
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new RangeError('the bytes end early');
    this.#at += length;
    return at;
  }
}
