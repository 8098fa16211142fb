// Writing and reading of flat buffers: big-endian numbers and runs of bytes. What the formats of other rooms are made of.

/** Appends to one buffer that grows when it must: give the exact size and it never does. */
export class ByteWriter<B extends Uint8Array = Uint8Array<ArrayBuffer>> {
  readonly #make: (size: number) => B;
  protected buffer: B;
  #view: DataView;
  #at = 0;

  /** @param make an empty buffer of a size */
  constructor(size: number, make: (size: number) => B) {
    this.#make = make;
    this.buffer = make(size);
    this.#view = viewOf(this.buffer);
  }

  u8(value: number): this {
    // Reserving may replace the buffer: it comes first, here and below.
    const at = this.reserve(1);
    this.buffer[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.reserve(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.reserve(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    const at = this.reserve(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  i64(value: bigint): this {
    const at = this.reserve(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
    return this;
  }

  /** u32 length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** How many bytes were appended. */
  get length(): number {
    return this.#at;
  }

  /** Begins anew in the same buffer. */
  reset(): this {
    this.#at = 0;
    return this;
  }

  /** Room for so many bytes; returns where they begin in `buffer`. */
  protected reserve(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.buffer.length) {
      const larger = this.#make(Math.max(this.#at, 2 * this.buffer.length, 256));
      larger.set(this.buffer);
      this.buffer = larger;
      this.#view = viewOf(larger);
    }
    return at;
  }
}

/** Reads what {@link ByteWriter} wrote. Its methods throw RangeError when the bytes end early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
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

  f64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** A view of the bytes that are read. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new RangeError('the bytes end too early');
    this.#at += length;
    return at;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
