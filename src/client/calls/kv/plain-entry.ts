// Plain reads in a group: the server's word, as it came.
import { TransportError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { ClaimOutcome } from '../../../verify/verifier.js';
import { readShownEntry } from '../../../verify/wire/answers.js';
import type { ShownEntry } from '../../../verify/wire/answers.js';
import { Entry } from './entries.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Reader } from '../../group/read-groups.js';
import type { WaitingCall } from '../../flow/waiting-call.js';

/** One caller of get in a group. */
export class PlainReader implements Reader {
  readonly verified = false;
  readonly #key: Uint8Array;
  readonly #call: WaitingCall<Entry | null>;

  constructor(key: Uint8Array, call: WaitingCall<Entry | null>) {
    this.#key = key;
    this.#call = call;
  }

  get deadline() {
    return this.#call.deadline;
  }

  get settled(): boolean {
    return this.#call.settled;
  }

  deliver(outcome: ClaimOutcome): void {
    try {
      this.#call.resolve(plainEntry(this.#key, outcome));
    } catch (error) {
      this.#call.reject(error);
    }
  }

  reject(error: unknown): void {
    this.#call.reject(error);
  }
}

/**
 * What was answered for `key`; null for nothing. What a verified read would refuse (an entry that should have expired) is
 * handed out all the same.
 *
 * @throws TransportError when the answer cannot be read, or is about another key
 */
export function plainEntry(key: Uint8Array, outcome: ClaimOutcome): Entry | null {
  if (outcome.kind === 'missing') return null;
  let shown;
  try {
    shown = readShownEntry(outcome.shown).entry;
  } catch (cause) {
    throw new TransportError('UNAVAILABLE', 'the server answered with something that is no entry', { cause });
  }
  if (!equalBytes(shown.referencedBy?.key ?? shown.key, key)) {
    throw new TransportError('UNAVAILABLE', 'the server answered with an entry of another key');
  }
  return entryOf(key, shown);
}

/** An entry that was shown of `key`. Bytes are copied: an entry that is kept does not keep the whole answer. */
export function entryOf(key: Uint8Array, shown: ShownEntry['entry']): Entry {
  const { tx, value, revision, metadata, referencedBy } = shown;
  const reference = referencedBy && { key: copyBytes(key), tx: referencedBy.tx, atTx: referencedBy.atTx };
  return new Entry(copyBytes(shown.key), copyBytes(value), tx, revision, metadata, reference);
}
