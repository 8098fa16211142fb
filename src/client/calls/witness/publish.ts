// Publishing a head, top to bottom: a checkpoint of the trusted history → how it grew from what each witness has seen, proven →
// cosignatures, verified → the row of the log.
import { ClosedError } from '../../../errors.js';
import { checkpointText } from '../../../proof/heads/checkpoint.js';
import { noteOf } from '../../../proof/heads/note.js';
import type { NoteSignature } from '../../../proof/heads/note.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { SHOWN_TO_WITNESSES, witnessesDetail } from '../../trust/log/said-of-heads.js';
import { catchUp } from './catch-up.js';
import { converse } from './converse.js';
import type { Said } from './converse.js';
import { HeadSteps, NoSuchTree } from './head-steps.js';
import { Unreached } from './http.js';
import { knownSizes, noteSize } from './known-sizes.js';
import type { CheckedPublish, CheckedWitness } from './options.js';
import { QuorumError } from './outcome.js';
import type { PublishedHead, WitnessOutcome } from './outcome.js';

/** Of the time that is left, kept for what comes after the witnesses: the row of the log. */
const KEPT_SHARE = 0.1;

/** What one round with all witnesses came to. */
interface Round {
  readonly steps: HeadSteps;
  readonly note: string;
  readonly said: readonly (Said | Unreached)[];
}

interface Publisher {
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
  readonly options: CheckedPublish;
  /** Of the caller, and of the client's end. */
  readonly signal: AbortSignal;
}

/**
 * @throws QuorumError when fewer witnesses have cosigned than must
 * @throws VerificationError when the server does not prove what it is asked for; no witness was sent that
 */
export async function publishHead(publisher: Publisher): Promise<PublishedHead> {
  const { trust, call, options } = publisher;
  // Its row counts it.
  call.counted = true;
  await trust.ready(call);
  const moved = options.newest ? trust.assure(call.operation) : undefined;
  if (moved) await call.deadline.race(moved, 'the newest head');

  let round = await publishOnce(publisher);
  let told = await outcomesOf(publisher, round);
  if (told.again) {
    // The head has moved to where a witness is: all are asked for that.
    round = await publishOnce(publisher);
    told = await outcomesOf(publisher, round, told.outcomes);
  }
  const { steps, note } = round;
  const { size, root } = steps.tree;
  const published = {
    ...{ origin: options.signer.key.name, size, root, head: Object.freeze(steps.head), note },
    witnesses: told.outcomes,
  };
  const { quorum } = options;
  const said = witnessesDetail({ ...published, quorum, witnesses: told.outcomes });
  await trust.note(call, steps.head, SHOWN_TO_WITNESSES, said);
  const cosigned = told.outcomes.filter(({ status }) => status === 'cosigned').length;
  if (cosigned < quorum) throw new QuorumError(published, cosigned, quorum);
  return published;
}

/** Resolves when what was cosigned is durable in the log. */
async function publishOnce({ rpc, trust, call, options, signal }: Publisher): Promise<Round> {
  const { signer, witnesses, witnessTimeoutMs } = options;
  const origin = signer.key.name;
  const keys = witnesses.map(({ key }) => key);
  const sizes = await knownSizes(trust, call.operation, origin, keys);
  const steps = await HeadSteps.from(rpc, trust, call, sizes);
  const { size } = steps.tree;
  const text = checkpointText({ origin, ...steps.tree });
  const own = signer.sign(new TextEncoder().encode(text));
  const signatures: NoteSignature[] = [{ name: origin, keyId: signer.key.id, signature: own }];
  const { endsAt } = call.deadline;
  const publication = {
    ...{ text, size, signal, note: noteOf({ text, signatures }) },
    linesFrom: (older: bigint) => steps.linesFrom(older),
    timeoutMs: witnessTimeoutMs,
    until: endsAt - KEPT_SHARE * (endsAt - performance.now()),
  };
  const settled = await Promise.allSettled(
    witnesses.map((witness, i) => {
      const seen = sizes[i] ?? 0n;
      return converse(witness, publication, seen > size ? size : seen).catch(withoutAnswer);
    }),
  );
  const said: (Said | Unreached)[] = [];
  const failed: unknown[] = [];
  for (const [i, { key }] of witnesses.entries()) {
    const one = settled[i] as (typeof settled)[number];
    if (one.status === 'rejected') failed.push(one.reason);
    else said.push(one.value);
    if (one.status === 'rejected' || one.value instanceof Unreached || one.value.kind !== 'cosigned')
      continue;
    signatures.push(one.value.cosigned.line);
    noteSize(trust, origin, key, size);
  }
  const note = noteOf({ text, signatures });
  if (signatures.length > 1) await trust.keep(call, steps.head, note);
  if (signal.aborted)
    throw signal.reason instanceof ClosedError ? signal.reason : call.deadline.aborted('witnesses');
  if (failed.length > 0) throw failed[0];
  return { steps, note, said };
}

/** Why there is no word of a witness; what fails on the way to the server goes on. */
function withoutAnswer(error: unknown): Said | Unreached {
  if (error instanceof Unreached) return error;
  if (error instanceof NoSuchTree) return { kind: 'refused', reason: 'other', detail: error.message };
  throw error;
}

/** `again`: the head now commits to a tree that a witness was ahead with. `before`: outcomes of those that are not asked about twice. */
async function outcomesOf(
  publisher: Publisher,
  { steps, said }: Round,
  before: readonly WitnessOutcome[] = [],
): Promise<{ readonly outcomes: readonly WitnessOutcome[]; readonly again: boolean }> {
  const outcomes: WitnessOutcome[] = [];
  let again = false;
  for (const [i, witness] of publisher.options.witnesses.entries()) {
    const one = said[i];
    if (!one) continue;
    const { outcome, reached } = await outcomeOf(publisher, steps, witness, one, before[i]);
    outcomes.push(outcome);
    again ||= reached && before.length === 0;
  }
  return { outcomes, again };
}

async function outcomeOf(
  { trust, call }: Publisher,
  { head }: HeadSteps,
  { url, key: { name } }: CheckedWitness,
  said: Said | Unreached,
  before: WitnessOutcome | undefined,
): Promise<{ readonly outcome: WitnessOutcome; readonly reached: boolean }> {
  const who = { url, name };
  const final = (outcome: WitnessOutcome, reached = false) => ({ outcome: Object.freeze(outcome), reached });
  if (said instanceof Unreached) return final({ ...who, status: 'unreachable', detail: said.message });
  if (said.kind === 'cosigned') return final({ ...who, status: 'cosigned', time: said.cosigned.time });
  const { reason, detail, seen } = said;
  const refused = { ...who, status: 'refused', reason, detail, ...(seen !== undefined && { seen }) } as const;
  const words = `witness ${name} says: ${detail}`;
  if (reason === 'fork') {
    const refuted = { check: 'witness.fork', detail: words, tx: head.tx };
    return final({ ...refused, error: await trust.refuse(call.operation, refuted) });
  }
  if (reason !== 'ahead' || seen === undefined) return final(refused);
  // Said and logged in the first round.
  if (before?.status === 'refused' && before.reason === 'withheld' && before.seen === seen)
    return final(before);
  const there = await catchUp(trust, call, seen, `witness ${name}`);
  if (there === 'reached') return final(refused, true);
  if (there === 'next' || there === 'unasked') {
    const why =
      there === 'next' ? 'the next transaction will commit to it' : 'the server could not be asked for it';
    return final({ ...refused, detail: `${detail}; ${why}` });
  }
  return final({ ...refused, reason: 'withheld', error: there });
}
