// Heads of a database for the world to see: published to witnesses, and held against what witnesses have seen.
import { ClosedError } from '../../errors.js';
import type { NoteKeys } from '../../verify/heads/checkpoint-note.js';
import { PUBLISH_NAMES, checkPublishOptions } from '../calls/witness/options.js';
import type { PublishHeadOptions } from '../calls/witness/options.js';
import type { PublishedHead } from '../calls/witness/outcome.js';
import { publishHead } from '../calls/witness/publish.js';
import { toWitnessed, verifyHead } from '../calls/witness/verify-head.js';
import type { WitnessedHead } from '../calls/witness/verify-head.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { StreamCalls } from './streams.js';

export abstract class HeadCalls extends StreamCalls {
  /**
   * Publishes the trusted head: a checkpoint (C2SP tlog-checkpoint) of the history tree that its header commits to, signed by
   * the key of the origin, is sent to standard witnesses with the proof that it extends the tree they have seen. Resolves when
   * as many as must have cosigned, and the note with all cosignatures is durable in the audit log (outcome `calls`, operation
   * `publishHead`, in `detail`). From then on nobody is shown another history under this origin without one of them lying.
   *
   * One request to the server where the witnesses have seen the same tree. Witnesses are asked at the same time, each with a
   * limit of its own (`witnessTimeoutMs`); one that is down holds nobody up. One that says that the tree does not extend what it
   * has seen is a `fork` in the log, told to `onFork`; one that has seen more than the server has is a `rollback` there: a
   * witness's word, which ends no trust.
   *
   * @example
   * const { note, size } = await client.publishHead({
   *   origin: 'example.com/immudb/billing',
   *   key: readFileSync('origin.pem', 'utf8'),
   *   witnesses: [{ url: 'https://witness.example/', key: 'witness.example+…' }],
   * });
   * @throws ImmuError QUORUM_NOT_REACHED (QuorumError of `immu-ts/audit`: `published.witnesses` says why); PRECONDITION_FAILED before the
   * second transaction
   * @throws VerificationError when the server does not prove the tree, or how it grew: no witness was sent what is not proven
   */
  async publishHead(options: PublishHeadOptions): Promise<PublishedHead> {
    const checked = checkPublishOptions(options);
    const ended = new AbortController();
    const { door } = this.connection;
    return this.room.enterVerified(
      'publishHead',
      options,
      PUBLISH_NAMES,
      async ({ session, trust, call }) => {
        const takeBack = door.whenClosed(() => ended.abort(new ClosedError('the client')));
        const { signal: own } = call.deadline;
        const signal = own ? AbortSignal.any([own, ended.signal]) : ended.signal;
        try {
          return await publishHead({ rpc: session, trust, call, options: checked, signal });
        } finally {
          takeBack();
        }
      },
    );
  }

  /**
   * Proves that a head that was published is part of the trusted history: the note is checked (`verifyCheckpointNote` of
   * `immu-ts/audit`), and the server has to prove the tree that it is about. So whoever is shown this history is shown the one
   * that the witnesses have seen. One request; one or two more where the trusted head is older than the note.
   *
   * @throws ArgumentError `note` when it is not signed and cosigned as it must be; `keys`
   * @throws VerificationError FORK_DETECTED when the trusted history is another; SERVER_BEHIND_TRUST when the server does not
   * have all transactions of the tree
   */
  async verifyHead(
    note: string | Uint8Array,
    keys: NoteKeys,
    options: CallOptions = NO_OPTIONS,
  ): Promise<WitnessedHead> {
    const witnessed = toWitnessed(note, keys);
    return this.room.enterVerified('verifyHead', options, [], ({ session, trust, call }) =>
      verifyHead(session, trust, call, witnessed),
    );
  }
}
