// Keys, and hashes, as map keys.

/** Bytes as text, one character each: equal exactly when the bytes are. */
export function keyName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/** The bytes that {@link keyName} made text of. */
export function keyBytes(name: string): Uint8Array {
  const bytes = Buffer.from(name, 'latin1');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
