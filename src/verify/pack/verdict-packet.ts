// Verdicts as flat bytes, on their way back from a thread. One tagged item per job, in the order of the jobs.
// Never stored, so never versioned. What the main thread knows from its own question is not sent, a target that
// is the same as the item before it had is not sent again, and of a chain each hash is sent once.
import { kindOf } from '../kinds.js';
import type { Proven } from '../kinds.js';
import type { ProvenTarget } from '../terms.js';
import type { Job, Verdict } from '../verifier.js';
import { PacketReader, PacketWriter } from './packet-cursor.js';
import { readRefuted, readText, writeRefuted, writeText } from './refuted-packet.js';

/** What a thread says about one job. `defect`: checking it broke for a reason that is ours, not the server's. */
export type Outcome =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'defect'; readonly message: string };

/** The tags that are not those of a kind: `provenTags` begin after them. */
const DEFECT = 0;
const REFUTED = 1;

/** In a thread: the outcomes of `jobs`, in order, in one buffer, to be transferred. */
export function packOutcomes(outcomes: readonly Outcome[], jobs: readonly Job[]): ArrayBuffer {
  const writer = new PacketWriter(1024 * outcomes.length);
  let before: ProvenTarget | undefined;
  outcomes.forEach((outcome, i) => {
    if (outcome.kind === 'defect') {
      writer.u8(DEFECT);
      writeText(writer, outcome.message);
    } else if (!outcome.verdict.ok) {
      writer.u8(REFUTED);
      writeRefuted(writer, outcome.verdict.refuted);
    } else {
      const { proven } = outcome.verdict;
      kindOf((jobs[i] as Job).question).writeProven(writer, proven, before);
      before = targetAfter(proven, before);
    }
  });
  return writer.finish().buffer;
}

/**
 * On the main thread: the outcomes of `jobs`, in order; values and hashes are views of `buffer`.
 * Throws RangeError when the buffer does not hold exactly that many.
 */
export function unpackOutcomes(buffer: ArrayBuffer, jobs: readonly { readonly job: Job }[]): Outcome[] {
  const reader = new PacketReader(new Uint8Array(buffer));
  const outcomes: Outcome[] = [];
  let before: ProvenTarget | undefined;
  for (const { job } of jobs) {
    const tag = reader.u8();
    if (tag === DEFECT) outcomes.push({ kind: 'defect', message: readText(reader) });
    else if (tag === REFUTED)
      outcomes.push({ kind: 'verdict', verdict: { ok: false, refuted: readRefuted(reader) } });
    else {
      const proven = readProven(reader, tag, job, before);
      before = targetAfter(proven, before);
      outcomes.push({ kind: 'verdict', verdict: { ok: true, proven } });
    }
  }
  if (!reader.done) throw new RangeError('bytes are left over');
  return outcomes;
}

function readProven(
  reader: PacketReader,
  tag: number,
  { question }: Job,
  before: ProvenTarget | undefined,
): Proven {
  const kind = kindOf(question);
  if (!kind.provenTags.includes(tag))
    throw new RangeError(`outcome ${tag} is no answer to a ${question.kind} question`);
  return kind.readProven(reader, tag, question, before);
}

/** The target that the next item may refer to. */
function targetAfter(proven: Proven, before: ProvenTarget | undefined): ProvenTarget | undefined {
  return 'target' in proven ? proven.target : before;
}
