// A line as the Go client's state files have them: the database, and its state in base64 of its wire form.
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 0x80n) return [...bytes, Number(left)];
    bytes.push(Number(left & 0x7fn) | 0x80);
  }
}

const field = (number: number, bytes: Uint8Array) => [
  (number << 3) | 2,
  ...varint(BigInt(bytes.length)),
  ...bytes,
];

export function goLine(database: string, tx: bigint, alh: Uint8Array, signed = false): string {
  const state = [
    ...field(1, Buffer.from(database)),
    ...[0x10, ...varint(tx)],
    ...field(3, alh),
    ...(signed
      ? field(4, Uint8Array.of(...field(1, Buffer.from('key')), ...field(2, Buffer.from('sig'))))
      : []),
  ];
  return `${database}:${Buffer.from(state).toString('base64')}`;
}
