// From a failed check to the part of a verdict that says so.
import { toHex } from '../proof/bytes.js';
import { OtherHistory, ProofFailure, type ProofTerm } from '../proof/failure.js';
import type { Refuted } from './terms.js';

/** Longest run of bytes that is shown in full: keys and signatures are, what a liar makes up need not be. */
const MAX_SHOWN_BYTES = 1100;

/** Digests in hex, numbers in decimal. */
export function refutedBy(failure: ProofFailure): Refuted {
  const { check, expected, computed } = failure;
  return {
    check,
    detail: failure.message.slice(check.length + 2),
    ...(expected !== undefined && { expected: term(expected) }),
    ...(computed !== undefined && { computed: term(computed) }),
    ...(failure instanceof OtherHistory && { isFork: true }),
  };
}

function term(value: ProofTerm): string {
  if (!(value instanceof Uint8Array)) return String(value);
  if (value.length <= MAX_SHOWN_BYTES) return toHex(value);
  return `${toHex(value.subarray(0, MAX_SHOWN_BYTES))}… (${value.length} bytes)`;
}

/**
 * Runs a check: undefined when it holds, what did not hold otherwise. Anything but a ProofFailure is a defect of
 * ours, says nothing about the server, and is thrown on.
 */
export function toRefuted(check: () => void): Refuted | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ProofFailure) return refutedBy(error);
    throw error;
  }
}
