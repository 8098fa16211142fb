// Questions in packed jobs: a tag, and after it what the kind of the question writes. The format is in packet.ts.
import { kindOf, kindWithTag } from '../kinds.js';
import type { Question } from '../kinds.js';
import type { PacketReader, PacketWriter } from './packet-cursor.js';

export function questionSize(question: Question): number {
  return kindOf(question).size(question);
}

export function writeQuestion(writer: PacketWriter, question: Question): void {
  kindOf(question).write(writer, question);
}

export function readQuestion(reader: PacketReader): Question {
  const tag = reader.u8();
  const kind = kindWithTag(tag);
  if (kind === undefined) throw new RangeError(`question ${tag} is not known`);
  return kind.read(reader, tag);
}
