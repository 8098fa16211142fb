// Decoding of the answer to a ZScan (messages ZEntries and ZEntry).
import { ProofFailure } from '../../proof/failure.js';
import { readShownEntry } from './answers.js';
import type { ShownEntry } from './answers.js';
import { WireReader, onlyOnce, present } from './reader.js';

/** A member of a sorted set as the server words it: nothing here is proven by being here. */
export interface ShownMember {
  readonly set: Uint8Array;
  /** The key that it points to. */
  readonly key: Uint8Array;
  readonly score: number;
  /** 0 = unbound. */
  readonly atTx: bigint;
  /** What that key holds. */
  readonly shown: ShownEntry;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Members in the order they came. Throws when there are more than `max`. */
export function readMembers(answer: Uint8Array, max: number): ShownMember[] {
  const reader = new WireReader(answer);
  const members: ShownMember[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) reader.skip();
    else if (members.length >= max)
      throw new ProofFailure('wire.bound', 'ZEntries.entries: more than asked for', max);
    else members.push(readMember(reader.message('ZEntries.entries')));
  }
  return members;
}

function readMember(reader: WireReader): ShownMember {
  const { entry, ...member } = readMemberFields(reader);
  return { ...member, shown: readShownEntry(present(entry, 'ZEntry.entry')) };
}

/** What a ZEntry says; `entry`: raw, where there is one. */
export function readMemberFields(
  reader: WireReader,
): Omit<ShownMember, 'shown'> & { readonly entry: Uint8Array | undefined } {
  let set = NO_BYTES;
  let key = NO_BYTES;
  let entry: Uint8Array | undefined;
  let score = 0;
  let atTx = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) set = reader.bytes('ZEntry.set');
    else if (field === 2) key = reader.bytes('ZEntry.key');
    else if (field === 3) {
      onlyOnce(entry, 'ZEntry.entry');
      entry = reader.bytes('ZEntry.entry');
    } else if (field === 4) score = reader.double('ZEntry.score');
    else if (field === 5) atTx = reader.id('ZEntry.atTx');
    else reader.skip();
  }
  return { set, key, score, atTx, entry };
}
