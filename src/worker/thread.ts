// What runs in a thread: a message of packed jobs in, a message of packed outcomes out. Nothing is thrown here:
// an error would lose its class and code on the way, and would take the message's other jobs down with it.
import { move, workerData } from 'piscina';
import { check, describeDefect } from '../verify/check.js';
import { useHasher } from './hasher.js';
import { unpackJobs } from '../verify/pack/packet.js';
import { packOutcomes, type Outcome } from '../verify/pack/verdict-packet.js';
import type { ThreadData } from './thread-pool.js';
import type { Job } from '../verify/verifier.js';

useHasher((workerData as ThreadData).hasher);

/** The task that the pool runs. */
export function checkJobs(message: ArrayBuffer): ArrayBuffer {
  const jobs = unpackJobs(message);
  return move(packOutcomes(jobs.map(outcomeOf), jobs)) as ArrayBuffer;
}

function outcomeOf(job: Job): Outcome {
  try {
    return { kind: 'verdict', verdict: check(job) };
  } catch (error) {
    return { kind: 'defect', message: describeDefect(error) };
  }
}
