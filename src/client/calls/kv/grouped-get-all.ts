// verifiedGetAll: each key is proven as a read of its own, and the call ends with the last of them, or with the first
// that is not proven.
import type { TellPart } from '../../group/key-asker.js';
import { keyName } from '../../../verify/key-name.js';
import type { WaitingCall } from '../../flow/waiting-call.js';
import { VerifiedReader } from './grouped-get.js';
import type { ReadEnd, Reading } from './grouped-get.js';
import type { VerifiedEntry } from './verified-entry.js';

type Entries = (VerifiedEntry | null)[];

class AllEntries implements ReadEnd {
  readonly #reading: Reading;
  readonly #call: WaitingCall<Entries>;
  readonly #entries: Entries;
  #left: number;

  constructor(reading: Reading, call: WaitingCall<Entries>, count: number) {
    this.#reading = reading;
    this.#call = call;
    this.#entries = new Array<VerifiedEntry | null>(count).fill(null);
    this.#left = count;
  }

  get settled(): boolean {
    return this.#call.settled;
  }

  resolve(entry: VerifiedEntry | null, place: number): void {
    this.#entries[place] = entry;
    this.#left -= 1;
    if (this.#left > 0 || this.settled) return;
    const { trust, known, from } = this.#reading;
    if (trust.knownNow !== known) {
      this.reject(trust.forgotten());
      return;
    }
    trust.countCalls(from.operation, from.startedAt, 1);
    this.#call.resolve(this.#entries);
  }

  reject(error: unknown): void {
    this.#call.reject(error);
  }
}

/**
 * Proves the entries of `keys` and ends `call` with them, in order. `read` asks for the keys together and
 * tells their outcomes. `reading` is one that the log does not count: it counts the call, once. Never rejects: the call does.
 */
export async function proveTogether(
  reading: Reading,
  keys: readonly Uint8Array[],
  call: WaitingCall<Entries>,
  read: (names: readonly string[], tell: TellPart) => Promise<void>,
): Promise<void> {
  const names = keys.map(keyName);
  const end = new AllEntries(reading, call, keys.length);
  const readers = keys.map((key, i) => new VerifiedReader(reading, key, names[i] as string, end, i));
  const deliver: TellPart = (outcomes, from) =>
    outcomes.forEach((outcome, i) => (readers[from + i] as VerifiedReader).deliver(outcome));
  try {
    const probed = reading.trust.assure(reading.from.operation);
    if (!probed) {
      await read(names, deliver);
      return;
    }
    // Nothing is handed on before the server is known to have reached the head.
    const held: Parameters<TellPart>[] = [];
    await Promise.all([probed, read(names, (...args) => held.push(args))]);
    for (const args of held) deliver(...args);
  } catch (error) {
    end.reject(error);
  }
}

/** The same, each key read on its own by `read`. */
export function proveApart(
  reading: Reading,
  keys: readonly Uint8Array[],
  call: WaitingCall<Entries>,
  read: (key: Uint8Array, name: string, reader: VerifiedReader) => void,
): void {
  const end = new AllEntries(reading, call, keys.length);
  keys.forEach((key, i) => {
    const name = keyName(key);
    read(key, name, new VerifiedReader(reading, key, name, end, i));
  });
}
