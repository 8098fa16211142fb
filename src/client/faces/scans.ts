// Reads of many entries: scans of keys and sorted sets, histories, counts. Input is checked here, pages are asked for one by one.
import { count, countAll, countedPrefix } from '../calls/scans/count.js';
import { historyInput, historyPage, historyRequest } from '../calls/scans/history.js';
import type { HistoryEntry, HistoryOptions } from '../calls/scans/history.js';
import { pages } from '../calls/scans/pages.js';
import type { PagesOptions, TellNext } from '../calls/scans/pages.js';
import { scanInput, scanPage, scanRequest, verifiedScanPage } from '../calls/scans/scan.js';
import type { ScanOptions } from '../calls/scans/scan.js';
import { verifiedHistoryPage } from '../calls/scans/verified-history.js';
import type { VerifiedVersion } from '../calls/scans/verified-history.js';
import { verifiedZScanPage } from '../calls/scans/verified-z-scan.js';
import type { VerifiedZEntry } from '../calls/scans/verified-z-scan.js';
import { zScanInput, zScanPage, zScanRequest } from '../calls/scans/z-scan.js';
import type { ZEntry, ZScanOptions } from '../calls/scans/z-scan.js';
import { streamList, streamedItems, streamedLimit, withoutStream } from '../calls/scans/streamed.js';
import type { StreamOption, StreamedList } from '../calls/scans/streamed.js';
import { streamedEntries, streamedMembers } from '../calls/streams/streamed-entries.js';
import type { StreamedKeyValue, StreamedMember } from '../calls/streams/streamed-entries.js';
import type { ValuePieces } from '../calls/streams/value-stream.js';
import type { Entry } from '../calls/kv/entries.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS, callOptionsOf } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import type { Session } from '../net/session.js';
import type { Room, Verified } from '../room/room.js';
import { WriteCalls } from './writes.js';

export abstract class ScanCalls extends WriteCalls {
  // Unverified: the server's word

  /**
   * The entries of a range of keys, in the order of their keys (bytes), as they are at the time of their page. An iterator that
   * asks for pages by itself: a key that is there all the while is given once, whatever others write meanwhile. Deleted and
   * expired entries are left out, and so are references that lead to one; of a reference the entry that it leads to is given,
   * and `reference` has the key that was scanned. `timeoutMs` is the deadline of each page, `signal` ends the whole.
   * With `stream: true` keys and values only, one held at a time: see {@link StreamOption}; history and zScan take it too.
   *
   * @example
   * for await (const { key, value } of client.scan({ prefix: 'order/', limit: 10 })) console.log(key, value);
   * @throws ArgumentError at once, naming the option
   * @throws ServerError LIMIT_EXCEEDED when `pageSize` is more than the server gives at once
   * @throws ImmuError LIMIT_EXCEEDED where more than 2500 references that lead nowhere follow one another from either end of what
   *   is left: the server then does not show whether anything is between them
   * @throws ClosedError from the iterator, once the client is closed
   */
  scan(
    options: Omit<ScanOptions, 'pageSize'> & StreamOption,
  ): AsyncGenerator<StreamedKeyValue, void, undefined>;
  scan(options?: ScanOptions): AsyncGenerator<Entry, void, undefined>;
  scan(options: ScanOptions = NO_OPTIONS): AsyncGenerator<Entry | StreamedKeyValue, void, undefined> {
    const { stream, rest } = withoutStream(options);
    const input = scanInput(rest);
    if (stream) {
      const { limit } = rest;
      const request = scanRequest(input.range, input.first, streamedLimit(limit), rest);
      return this.#streamed(rest, { method: 'streamScan', request, decode: streamedEntries, limit });
    }
    return this.#plain(rest, input.first, (session, step, call, next) =>
      scanPage(session, input, step, call, next),
    );
  }

  /**
   * The versions of a key, the oldest first, or with `desc` the newest: deletions (`deleted`) and what has expired (`expired`)
   * are versions too, without a value. Empty when there is no such key. Pages and errors as with {@link scan}.
   *
   * @example
   * for await (const { revision, tx, deleted } of client.history('order/17', { desc: true, limit: 5 })) console.log(tx);
   */
  history(
    key: BytesInput,
    options: Omit<HistoryOptions, 'pageSize'> & StreamOption,
  ): AsyncGenerator<StreamedKeyValue, void, undefined>;
  history(key: BytesInput, options?: HistoryOptions): AsyncGenerator<HistoryEntry, void, undefined>;
  history(
    key: BytesInput,
    options: HistoryOptions = NO_OPTIONS,
  ): AsyncGenerator<HistoryEntry | StreamedKeyValue, void, undefined> {
    const { stream, rest } = withoutStream(options);
    const input = historyInput(key, rest);
    if (stream) {
      const { limit, offset = 0 } = rest;
      const request = historyRequest(input.key, rest, offset, streamedLimit(limit));
      return this.#streamed(rest, { method: 'streamHistory', request, decode: streamedEntries, limit });
    }
    return this.#plain(rest, input.first, (session, step, call, next) =>
      historyPage(session, input, step, call, next),
    );
  }

  /**
   * The members of a sorted set, with what their keys hold. In the order of the server, which is handed on as it is:
   * **negative scores come after the positive ones**, −1 before −2, and −0 before both; among equal scores shorter keys come
   * first. So it is with bounds, too: with a negative `minScore` the server starts there and gives no positive score at all;
   * with `desc` it leaves out members whose score is `maxScore`, and all with negative scores unless `seek` names one.
   * More than 2500 members in a row whose keys are gone end it like its end: the server shows no difference.
   * Pages and errors as with {@link scan}.
   *
   * @example
   * for await (const { key, score, entry } of client.zScan('by-price', { minScore: 10, maxScore: 20 })) console.log(key, score);
   */
  zScan(
    set: BytesInput,
    options: Omit<ZScanOptions, 'pageSize'> & StreamOption,
  ): AsyncGenerator<StreamedMember, void, undefined>;
  zScan(set: BytesInput, options?: ZScanOptions): AsyncGenerator<ZEntry, void, undefined>;
  zScan(
    set: BytesInput,
    options: ZScanOptions = NO_OPTIONS,
  ): AsyncGenerator<ZEntry | StreamedMember, void, undefined> {
    const { stream, rest } = withoutStream(options);
    const input = zScanInput(set, rest);
    if (stream) {
      const { limit } = rest;
      const request = zScanRequest(input, input.first, streamedLimit(limit));
      return this.#streamed(rest, { method: 'streamZScan', request, decode: streamedMembers, limit });
    }
    return this.#plain(rest, input.first, (session, step, call, next) =>
      zScanPage(session, input, step, call, next),
    );
  }

  /** How many keys begin with `prefix`, deleted and expired ones included. The server's word. */
  async count(prefix: BytesInput, options: CallOptions = NO_OPTIONS): Promise<bigint> {
    const asked = countedPrefix(prefix);
    return this.room.enter(options, [], (session, call) => count(session, asked, call), asked.length);
  }

  /** How many keys there are, deleted and expired ones included; members of sorted sets are none. The server's word. */
  async countAll(options: CallOptions = NO_OPTIONS): Promise<bigint> {
    return this.room.enter(options, [], countAll);
  }

  // Verified

  /**
   * {@link scan} with every entry proven: key, value, metadata and transaction are in the one trusted history, of a reference
   * both itself and the entry that it leads to. Keys are of the range that was asked for, in strict order, none twice; none is
   * older than a version that was proven before. That **none is left out** cannot be proven, nor that none is newer.
   *
   * @example
   * for await (const { key, value, tx } of client.verifiedScan({ prefix: 'order/' })) console.log(key, value, tx);
   * @throws VerificationError from the iterator when an entry is not proven: nothing of its page is given
   */
  verifiedScan(options: ScanOptions = NO_OPTIONS): AsyncGenerator<VerifiedEntry, void, undefined> {
    const input = scanInput(options);
    return this.#verified('verifiedScan', options, input.first, (verified, step, next) =>
      verifiedScanPage(verified, input, step, next),
    );
  }

  /**
   * {@link history} with every version proven to be in its transaction, in the one trusted history: value or deletion, metadata,
   * and of what has expired its time. Versions are of this key, in strict order of their transactions, none twice; the newest
   * one is not older than a version that was proven before. A version that is a reference is told apart from a value, by the
   * transaction. That **none is left out** cannot be proven; `revision` is the server's word.
   *
   * @example
   * for await (const { tx, deleted, timestamp } of client.verifiedHistory('order/17')) console.log(tx, deleted, timestamp);
   * @throws VerificationError from the iterator when a version is not proven: nothing of its page is given
   */
  verifiedHistory(
    key: BytesInput,
    options: HistoryOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedVersion, void, undefined> {
    const input = historyInput(key, options);
    return this.#verified('verifiedHistory', options, input.first, (verified, step, next) =>
      verifiedHistoryPage(verified, input, step, next),
    );
  }

  /**
   * {@link zScan} with what every member's key holds proven, as by verifiedGet; of a member that is bound to a transaction, the
   * version of that transaction. As they are shown, members are of this set, within the scores that were asked for, and in
   * strict order of the server's index. **Not proven: that a key is a member, and with which score**, for the server does not
   * say in which transaction that was written: both stand under `unproven`; nor that none is left out.
   *
   * @example
   * for await (const { entry, unproven } of client.verifiedZScan('by-price')) console.log(entry.value, unproven.score);
   * @throws VerificationError from the iterator when an entry is not proven: nothing of its page is given
   */
  verifiedZScan(
    set: BytesInput,
    options: ZScanOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedZEntry, void, undefined> {
    const input = zScanInput(set, options);
    return this.#verified('verifiedZScan', options, input.first, (verified, step, next) =>
      verifiedZScanPage(verified, input, step, next),
    );
  }

  #streamed<M extends 'streamScan' | 'streamHistory' | 'streamZScan', T>(
    options: CallOptions,
    list: StreamedList<M, T>,
  ): AsyncGenerator<T, void, undefined> {
    const { rooms } = this.connection;
    const database = this.ownName ?? rooms.selectedName;
    const call = callOptionsOf(options);
    return streamedItems(() =>
      rooms
        .of(database)
        .stream<ValuePieces<T>>(call, [], (session, left, answer) => streamList(session, list, left, answer)),
    );
  }

  #plain<T, At>(
    options: CallOptions,
    first: At,
    page: (session: Session, at: At, call: CallOptions, next: TellNext<At>) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined> {
    const ask = (room: Room, at: At, call: CallOptions, next: TellNext<At>) =>
      room.enter(call, [], (session, left) => page(session, at, left, next));
    return this.#pages(options, first, ask);
  }

  #verified<T, At>(
    operation: string,
    options: CallOptions,
    first: At,
    page: (verified: Verified, at: At, next: TellNext<At>) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined> {
    const ask = (room: Room, at: At, call: CallOptions, next: TellNext<At>) =>
      room.enterVerified(operation, call, [], (verified) => page(verified, at, next));
    return this.#pages(options, first, ask);
  }

  /** Of the database that is selected now, whatever is selected while the iterator goes on. */
  #pages<T, At>(
    options: CallOptions,
    first: At,
    ask: (room: Room, at: At, call: CallOptions, next: TellNext<At>) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined> {
    const { door, rooms } = this.connection;
    const database = this.ownName ?? rooms.selectedName;
    const of: PagesOptions<T, At> = {
      first,
      options,
      whenClosed: (tell) => door.whenClosed(tell),
      ask: async (at, call, next) => ask(rooms.of(database), at, call, next),
    };
    return pages(of);
  }
}
