// Refusals and texts as flat bytes.
import type { PacketReader, PacketWriter } from './packet-cursor.js';
import type { Refuted } from '../terms.js';

const EXPECTED = 1;
const COMPUTED = 2;
const IS_FORK = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeRefuted(writer: PacketWriter, refuted: Refuted): void {
  const { check, detail, expected, computed, isFork } = refuted;
  writer.u8(
    (expected === undefined ? 0 : EXPECTED) |
      (computed === undefined ? 0 : COMPUTED) |
      (isFork === true ? IS_FORK : 0),
  );
  writeText(writer, check);
  writeText(writer, detail);
  if (expected !== undefined) writeText(writer, expected);
  if (computed !== undefined) writeText(writer, computed);
}

export function readRefuted(reader: PacketReader): Refuted {
  const flags = reader.u8();
  return {
    check: readText(reader),
    detail: readText(reader),
    ...((flags & EXPECTED) !== 0 && { expected: readText(reader) }),
    ...((flags & COMPUTED) !== 0 && { computed: readText(reader) }),
    ...((flags & IS_FORK) !== 0 && { isFork: true }),
  };
}

export function writeText(writer: PacketWriter, text: string): void {
  writer.bytes(encoder.encode(text));
}

export function readText(reader: PacketReader): string {
  return decoder.decode(reader.bytes());
}
