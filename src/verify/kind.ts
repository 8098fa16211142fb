// What a question is made of: one record in one file says all there is to say of it, and `kinds.ts` lists the records. The check,
// the packs, the threads, the evidence and the CLI read them there.
import type { PacketReader, PacketWriter } from './pack/packet-cursor.js';
import type { Context, ProvenTarget, Refuted, Root, Signed } from './terms.js';

/**
 * A kind of question `Q` and what an answer to it proves, `P`.
 *
 * Methods, and called as such: a question of this kind is a plain object, so that nothing is made per question but what it says.
 */
export interface Kind<Q extends { readonly kind: string }, P extends { readonly kind: string }> {
  readonly kind: Q['kind'];
  /** The numbers that questions of this kind have in stored evidence: they stay, and are never given to another. */
  readonly tags: readonly number[];
  /** The numbers of what is proven, on the way back from a thread: of this release only. */
  readonly provenTags: readonly number[];
  /** An answer says what became of a write: it is checked however long that takes. */
  readonly isWrite?: true;

  /** @throws ArgumentError for what is our caller's mistake */
  assert(question: Q, context: Context): void;

  /** Bytes that {@link write} writes. */
  size(question: Q): number;
  /** One of {@link tags}, and what {@link read} reads after it. The format is in pack/packet.ts. */
  write(writer: PacketWriter, question: Q): void;
  read(reader: PacketReader, tag: number): Q;

  /** Binds the answer to the question and proves what it claims. Throws ProofFailure where it does not. */
  check(question: Q, context: Context, answer: Uint8Array): P;

  /** One of {@link provenTags}, and what {@link readProven} reads after it. `before`: the target that was sent before. */
  writeProven(writer: PacketWriter, proven: P, before: ProvenTarget | undefined): void;
  readProven(reader: PacketReader, tag: number, question: Q, before: ProvenTarget | undefined): P;

  /** What was asked, for people who look at evidence. */
  words(question: Q): string;

  /** The root that an answer comes with under a signature, valid or not. Throws ProofFailure where there is none to be read. */
  signed?(question: Q, context: Context, answer: Uint8Array): Signed | undefined;
  /** Of an answer to several questions at once: the parts that are refused while the rest may hold. */
  refusedParts?(proven: P): readonly Refuted[];
  /** Of an answer that proves many headers: the one with this hash (hex). */
  rootWith?(proven: P, alh: string): Root | undefined;
}
