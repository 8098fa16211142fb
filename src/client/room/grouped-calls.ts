// The reads and writes of one session that may share requests: who waits for what, and the way into a group.
import type { Verifier } from '../../verify/verifier.js';
import { withCallerStack } from '../flow/caller-stack.js';
import type { Deadline } from '../flow/deadline.js';
import type { Entry } from '../calls/kv/entries.js';
import type { Admission } from '../flow/admission.js';
import { keyName } from '../../verify/key-name.js';
import { PlainReader, plainEntry } from '../calls/kv/plain-entry.js';
import { KeyAsker } from '../group/key-asker.js';
import type { TellPart } from '../group/key-asker.js';
import { ReadGroups } from '../group/read-groups.js';
import type { ReadCounts } from '../group/read-groups.js';
import { readTogether } from '../group/read-together.js';
import { Turns } from '../flow/turns.js';
import type { Turn } from '../flow/turns.js';
import { WaitingLine } from '../flow/waiting-call.js';
import type { WaitingCall } from '../flow/waiting-call.js';
import { WriteGroups } from '../group/write-groups.js';
import type { WriteCounts } from '../group/write-groups.js';
import type { WriteContent } from '../group/write-form.js';
import { bytesOf, withoutTx } from '../calls/kv/kv.js';
import type { Write } from '../calls/kv/kv.js';
import type { Rpc } from '../net/rpc.js';
import { isNotDone } from '../net/server-errors.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import { unixSeconds } from '../input/unix-seconds.js';
import type { ProvenHistory } from '../trust/known/proven-history.js';
import { VerifiedReader } from '../calls/kv/grouped-get.js';
import { proveApart, proveTogether } from '../calls/kv/grouped-get-all.js';
import { ReplicaReader } from '../calls/kv/replica-reader.js';
import type { ReplicaDoor } from '../calls/kv/replica-reader.js';
import { writeGroup } from '../calls/kv/grouped-write.js';
import { PlainWriter, VerifiedWriter } from '../calls/kv/writers.js';
import { RecordBatch } from '../calls/ingest/record-batch.js';
import type { BatchEnd } from '../calls/ingest/record-batch.js';
import type { Writer } from '../calls/kv/writers.js';
import type { EntryBatch } from '../group/entry-batch.js';
import { verifiedGet } from '../calls/kv/verified-get.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import { ReservedTxs } from '../trust/reserved-txs.js';
import type { VerifiedWrite } from '../trust/write.js';

export interface GroupedCallsOptions {
  readonly rpc: Rpc;
  readonly database: string;
  readonly verifier: Verifier;
  readonly admission: Admission;
  /** Txs of this client's writes to the database, those of its trust too. @default some of its own */
  readonly writes?: ReservedTxs;
  /** A replica that verified reads may go to now. @default none */
  readonly replica?: () => ReplicaDoor | undefined;
}

/** A header that has been proven makes a plain read plus a look-up cheaper than a read with its proof. */
const WARM = 0.9;

export interface GroupDiagnostics {
  readonly reads: Readonly<ReadCounts>;
  readonly writes: Readonly<WriteCounts>;
}

export class GroupedCalls {
  readonly #options: GroupedCallsOptions;
  readonly #reading: WaitingLine;
  readonly #writing: WaitingLine;
  readonly #asker: KeyAsker;
  readonly #reads: ReadGroups<PlainReader | VerifiedReader>;
  readonly #writes: WriteGroups<Writer>;
  readonly #writeTxs: ReservedTxs;
  readonly #turns = new Turns();
  #trust: DatabaseTrust | undefined;
  /** Verified calls that came before there was a head. */
  #early = 0;

  constructor(options: GroupedCallsOptions) {
    const { rpc, database, verifier, admission } = options;
    this.#options = options;
    this.#writeTxs = options.writes ?? new ReservedTxs();
    const left = (bytes: number) => admission.leave(bytes);
    this.#reading = new WaitingLine('an answer', left);
    this.#writing = new WaitingLine(
      'an answer to the write, which may have happened: read it back with verifiedGet',
      left,
    );
    const context = () => this.#trust?.headContext ?? { head: null, database, now: unixSeconds() };
    this.#asker = new KeyAsker({ rpc, verifier, context });
    this.#reads = new ReadGroups({
      asker: this.#asker,
      askAlone: (key, reader, learn) => reader.verified && this.#askAlone(key, reader, learn),
      probe: () => this.#trust?.assure('verifiedGet'),
    });
    const room = { rpc, writes: this.#writeTxs, headTx: () => this.#trust?.headTx ?? 0n };
    this.#writes = new WriteGroups<Writer>({ send: (...args) => writeGroup(room, ...args) });
  }

  get diagnostics(): GroupDiagnostics {
    return { reads: { ...this.#reads.counts }, writes: { ...this.#writes.counts } };
  }

  // Calls that were let in: each gives its place back when it ends.

  get(key: Uint8Array, deadline: Deadline): Promise<Entry | null> {
    return this.#begin<Entry | null, undefined>(
      this.#reading,
      deadline,
      key.length,
      (call) => {
        this.#reads.read(key, keyName(key), new PlainReader(key, call));
      },
      undefined,
    );
  }

  /** Entries in the order of the keys, null where there is none; of one snapshot where one answer can hold them. */
  getAll(keys: readonly Uint8Array[], deadline: Deadline): Promise<(Entry | null)[]> {
    return this.#begin<(Entry | null)[], undefined>(
      this.#reading,
      deadline,
      bytesOf(keys),
      (call) => {
        const entries = new Array<Entry | null>(keys.length).fill(null);
        const tell: TellPart = (outcomes, from) => {
          outcomes.forEach((outcome, i) => {
            entries[from + i] = plainEntry(keys[from + i] as Uint8Array, outcome);
          });
        };
        call.follow(
          readTogether(this.#asker, keys, keys.map(keyName), deadline, tell, () => call.settled).then(
            () => entries,
          ),
        );
      },
      undefined,
    );
  }

  /** Reads the latest version of a key and proves it, with what else is read at the time. */
  verifiedGet(
    trust: DatabaseTrust,
    from: Call,
    key: Uint8Array,
    fromPrimary = false,
  ): Promise<VerifiedEntry | null> {
    return this.#beginVerified<VerifiedEntry | null>(
      this.#reading,
      trust,
      from,
      key.length,
      (call, known) => {
        const name = keyName(key);
        const reading = { rpc: this.#options.rpc, trust, known, from, counted: false };
        const reader = new VerifiedReader(reading, key, name, call);
        const replica = fromPrimary ? undefined : this.#options.replica?.();
        if (replica) this.#readFrom(replica, trust, key, name, reader);
        else this.#reads.read(key, name, reader);
      },
    );
  }

  /** Reads keys together and proves every entry; null where the server says there is none. */
  verifiedGetAll(
    trust: DatabaseTrust,
    from: Call,
    keys: readonly Uint8Array[],
    fromPrimary = false,
  ): Promise<(VerifiedEntry | null)[]> {
    return this.#beginVerified<(VerifiedEntry | null)[]>(
      this.#reading,
      trust,
      from,
      bytesOf(keys),
      (all, known) => {
        const reading = { rpc: this.#options.rpc, trust, known, from, counted: true };
        const replica = fromPrimary ? undefined : this.#options.replica?.();
        if (replica) {
          proveApart(reading, keys, all, (key, name, reader) =>
            this.#readFrom(replica, trust, key, name, reader),
          );
          return;
        }
        void proveTogether(reading, keys, all, (names, tell) =>
          readTogether(this.#asker, keys, names, from.deadline, tell, () => all.settled),
        );
      },
    );
  }

  #readFrom(
    door: ReplicaDoor,
    trust: DatabaseTrust,
    key: Uint8Array,
    name: string,
    reader: VerifiedReader,
  ): void {
    const askPrimary = () => this.#reads.read(key, name, reader);
    door.read(key, name, new ReplicaReader({ door, trust, reader, askPrimary }));
  }

  #writeInTurn(turn: Turn, writer: Writer, content: WriteContent): void {
    turn.take(() => {
      try {
        this.#writes.write(writer, content);
      } catch (error) {
        writer.reject(error);
      }
    });
  }

  /** The place of a write that is called now among those that share transactions. */
  turn(): Turn {
    return this.#turns.enter();
  }

  /** Writes in one transaction with what else is written at the time. */
  write(content: WriteContent, deadline: Deadline, turn: Turn): Promise<Write> {
    return this.#begin<Write, undefined>(
      this.#writing,
      deadline,
      content.bytes,
      (call) => {
        this.#writeInTurn(turn, new PlainWriter(call), content);
      },
      undefined,
    );
  }

  /** The same, proven. No `turn`: in a transaction that holds nothing else. */
  verifiedWrite(
    trust: DatabaseTrust,
    from: Call,
    content: WriteContent,
    turn: Turn | undefined,
  ): Promise<VerifiedWrite> {
    const start = (call: WaitingCall<VerifiedWrite>) => {
      const writer = new VerifiedWriter(trust, call, from, turn === undefined);
      if (turn) this.#writeInTurn(turn, writer, content);
      else this.#writes.writeAlone(writer, content);
    };
    return this.#beginVerified(this.#writing, trust, from, content.bytes, start, true);
  }

  /** A transaction of records, which takes more of them while it waits; requires the first of them in `entries`. */
  recordBatch(turn: Turn, entries: EntryBatch): RecordBatch {
    const { admission } = this.#options;
    return new RecordBatch({ admission, turns: this.#turns, groups: this.#writes }, turn, entries);
  }

  /** Has it written and proven, in its turn. */
  verifiedBatch(trust: DatabaseTrust, from: Call, batch: RecordBatch): Promise<BatchEnd> {
    return this.#beginVerified<BatchEnd>(
      this.#writing,
      trust,
      from,
      0,
      (call) => {
        batch.begin(trust, call, from);
      },
      true,
    );
  }

  /** A write in a transaction that holds nothing else: the server's word, and its tx is no other write's. */
  async writeAlone(send: (rpc: Rpc) => Promise<Write>): Promise<Write> {
    return this.writeApart(send, ({ tx }) => [tx]);
  }

  /** The same of what becomes transactions of its own, or none. */
  async writeApart<T>(send: (rpc: Rpc) => Promise<T>, txsOf: (written: T) => readonly bigint[]): Promise<T> {
    const { rpc } = this.#options;
    const writes = this.#writeTxs;
    const headTx = () => this.#trust?.headTx ?? 0n;
    const end = writes.reserve(headTx(), headTx);
    let mayBeDone = true;
    try {
      const written = await send(rpc);
      for (const tx of txsOf(written)) if (!writes.claimPlain(tx)) throw withoutTx();
      mayBeDone = false;
      return written;
    } catch (error) {
      mayBeDone &&= !isNotDone(error);
      throw error;
    } finally {
      end(mayBeDone);
    }
  }

  /** Whoever waits is refused with ClosedError. */
  close(): void {
    this.#reading.close('the client');
    this.#writing.close('the client');
  }

  /** Starts a verified call: without a detour when there is a head. */
  #beginVerified<T>(
    line: WaitingLine,
    trust: DatabaseTrust,
    from: Call,
    bytes: number,
    start: (call: WaitingCall<T>, known: ProvenHistory) => void,
    writes = false,
  ): Promise<T> {
    this.#trust = trust;
    // What the call is proven by, whatever is trusted when it ends.
    const known = trust.enter(from, writes);
    if (known) return this.#begin(line, from.deadline, bytes, start, known);
    if (this.#early++ > 0) this.#options.verifier.prepare?.();
    return trust.ready(from, writes).then(
      () => this.#beginVerified(line, trust, from, bytes, start, writes),
      (error: unknown) => {
        this.#options.admission.leave(bytes);
        throw withCallerStack(error);
      },
    );
  }

  /** What `start` throws ends the call. No closure of its own: one for every call would be seen in the times (measured). */
  #begin<T, Known>(
    line: WaitingLine,
    deadline: Deadline,
    bytes: number,
    start: (call: WaitingCall<T>, known: Known) => void,
    known: Known,
  ): Promise<T> {
    const call = line.add<T>(deadline, bytes);
    try {
      if (!call.settled) start(call, known);
    } catch (error) {
      call.reject(error);
    }
    return call.promise;
  }

  /** A lone read goes out with its proof, unless what it needs is known most likely. */
  #askAlone(key: Uint8Array, reader: VerifiedReader, learn: (bytes: number) => void): boolean {
    const trust = this.#trust;
    const known = trust?.knownNow;
    if (!trust || !known || known.warmth > WARM) return false;
    const work = verifiedGet(this.#options.rpc, trust, reader.from, key, {});
    reader.follow(work);
    work.then(
      (entry) => learn(key.length + (entry?.value.length ?? 0)),
      () => undefined,
    );
    return true;
  }
}
