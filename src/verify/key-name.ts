// Keys, and hashes, as map keys.

/** Bytes as text, one character each: equal exactly when the bytes are. */
export function keyName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
