// Flat, growing storage: columns of numbers, rows of digests, and an arena of bytes. A million transactions live in
// a handful of typed arrays instead of a graph of objects.

/** Column of unsigned integers below 2^53 that only grows at its end. */
export class NumberColumn {
  #values = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(grownCapacity(this.#length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    const value = this.#values[index];
    if (value === undefined || index >= this.#length) throw new RangeError(`no row ${index}`);
    return value;
  }
}

/** Column of unsigned 32-bit integers. Unlike {@link NumberColumn}, its values may be changed. */
export class Uint32Column {
  #values = new Uint32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Uint32Array(grownCapacity(this.#length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    const value = this.#values[index];
    if (value === undefined || index >= this.#length) throw new RangeError(`no row ${index}`);
    return value;
  }

  set(index: number, value: number): void {
    if (index >= this.#length) throw new RangeError(`no row ${index}`);
    this.#values[index] = value;
  }
}

const DIGEST_BYTES = 32;

/** Rows of 32 bytes. */
export class DigestColumn {
  #bytes = new Uint8Array(64 * DIGEST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(digest: Uint8Array): void {
    const at = this.#length * DIGEST_BYTES;
    if (at === this.#bytes.length) {
      const grown = new Uint8Array(grownCapacity(this.#length) * DIGEST_BYTES);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(digest, at);
    this.#length++;
  }

  /** A view of the row; not to be written to. It stays as it is when the column grows. */
  at(index: number): Uint8Array {
    if (index < 0 || index >= this.#length) throw new RangeError(`no row ${index}`);
    return this.#bytes.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }
}

/** A quarter more each time: doubling would leave up to half of a large ledger's memory unused. */
function grownCapacity(length: number): number {
  return length + Math.max(64, length >> 2);
}

const FIRST_CHUNK_BYTES = 1 << 14;
const CHUNK_BYTES = 1 << 24;

/** Bytes that are written once. A position never moves; what is written together is read as one piece. */
export class ByteArena {
  #chunks: Uint8Array[] = [];
  /** Position of each chunk's first byte. */
  #starts: number[] = [];
  #used = 0;
  #free = 0;

  /** Copies `parts` one behind the other; returns the position of the first byte. */
  append(...parts: readonly Uint8Array[]): number {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > this.#free || this.#chunks.length === 0) this.#addChunk(length);
    const chunk = this.#chunks[this.#chunks.length - 1] as Uint8Array;
    const at = chunk.length - this.#free;
    const position = (this.#starts[this.#starts.length - 1] as number) + at;
    let offset = at;
    for (const part of parts) {
      chunk.set(part, offset);
      offset += part.length;
    }
    this.#free -= length;
    this.#used = position + length;
    return position;
  }

  /** A view of what was appended at `position`; not to be written to. */
  view(position: number, length: number): Uint8Array {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    const offset = position - (this.#starts[low] ?? 0);
    if (!chunk || position + length > this.#used || offset + length > chunk.length) {
      throw new RangeError(`nothing was written at ${position}`);
    }
    return chunk.subarray(offset, offset + length);
  }

  /** Small databases stay small: chunks double up to 16 MiB. */
  #addChunk(atLeast: number): void {
    const last = this.#chunks[this.#chunks.length - 1];
    const size = Math.max(atLeast, last ? Math.min(last.length * 2, CHUNK_BYTES) : FIRST_CHUNK_BYTES);
    const start = last ? (this.#starts[this.#starts.length - 1] as number) + last.length : 0;
    this.#chunks.push(new Uint8Array(size));
    this.#starts.push(start);
    this.#free = size;
  }
}
