// Canonical bytes: numbers are big-endian, `bytes` = u32 length ‖ bytes, texts are UTF-8 bytes, an optional field is
// u8 0 (absent) or u8 1 ‖ field.
import { ByteReader, ByteWriter } from '../../proof/byte-cursor.js';

const FIRST_BYTES = 512;

const MAX_NAMES = 4096;
const MAX_NAME_BYTES = 256;
const names = new Map<string, Uint8Array>();

/** Appends fields to one growing buffer. */
export class Canonical extends ByteWriter<Buffer> {
  constructor() {
    super(FIRST_BYTES, (size) => Buffer.alloc(size));
  }

  text(value: string): this {
    const length = Buffer.byteLength(value, 'utf8');
    const at = this.u32(length).reserve(length);
    this.buffer.write(value, at, 'utf8');
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
    return this.buffer.subarray(0, this.length);
  }
}

/** Reads what {@link Canonical} wrote. Its methods throw RangeError when the bytes end early or do not fit. */
export class CanonicalReader extends ByteReader {
  /** A copy: what is read outlives the bytes. */
  override raw(length: number): Uint8Array {
    return new Uint8Array(super.raw(length));
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
    if (!this.done) throw new RangeError('there are bytes behind the end');
  }
}
