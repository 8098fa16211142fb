// Writes of keys: every call checks its input here and says in one line what is written, and how.
import {
  deleteContent,
  execAllContent,
  isAlone,
  memberContent,
  referenceContent,
  setAllContent,
  setContent,
} from '../calls/kv/contents.js';
import type { Pairs } from '../calls/kv/contents.js';
import { writeContent } from '../calls/kv/grouped-write.js';
import { withWriteProof, withoutProof } from '../calls/txs/portable-proof.js';
import { PROOF_NAMES, wantsProof } from '../input/proof-options.js';
import type { Write } from '../calls/kv/kv.js';
import type { WriteContent } from '../group/write-form.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import type { Op } from '../input/operations.js';
import { flag, optionsObject } from '../input/option-checks.js';
import type {
  ConditionalOptions,
  DeleteOptions,
  NoWaitOptions,
  SetOptions,
  VerifiedWriteOptions,
  VersionOptions,
  WriteOptions,
} from '../input/write-options.js';
import type { VerifiedWrite } from '../trust/write.js';
import { KeyCalls } from './keys.js';
import { rejecting } from './rejecting.js';

const NO_WAIT = ['noWait'];
const CONDITIONAL = [...NO_WAIT, 'preconditions'];
const OWN_TX = 'ownTx';
const NAMES = {
  set: [...CONDITIONAL, 'metadata'],
  delete: [...NO_WAIT, 'sinceTx'],
  reference: [...CONDITIONAL, 'atTx'],
  zAdd: [...NO_WAIT, 'atTx'],
  execAll: CONDITIONAL,
};
const VERIFIED_NAMES = Object.fromEntries(
  Object.entries(NAMES).map(([call, names]) => [call, [...names, OWN_TX, ...PROOF_NAMES]]),
) as typeof NAMES;

export abstract class WriteCalls extends KeyCalls {
  // Unverified writes: the server's word

  /**
   * Writes one entry.
   *
   * @example
   * await client.set('session/17', token, { metadata: { expiresAt: BigInt(Math.floor(Date.now() / 1000)) + 3600n } });
   * @throws ServerError PRECONDITION_FAILED when one of `preconditions` does not hold: nothing is written then
   */
  async set(key: BytesInput, value: BytesInput, options: SetOptions = NO_OPTIONS): Promise<Write> {
    return this.#write(setContent(key, value, options), options, NAMES.set);
  }

  /** Writes up to 1024 entries in one transaction: all or none. Like {@link set} in everything else. */
  async setAll(entries: Pairs, options: SetOptions = NO_OPTIONS): Promise<Write> {
    return this.#write(setAllContent(entries, options), options, NAMES.set);
  }

  /**
   * Deletes up to 1024 keys in one transaction: all, or none where one of them is not there. Their history stays. A reference is
   * deleted itself, not what it leads to.
   *
   * @throws ServerError NOT_FOUND when the server says that one of them is not there
   */
  async delete(keys: BytesInput | Iterable<BytesInput>, options: DeleteOptions = NO_OPTIONS): Promise<Write> {
    return this.#write(deleteContent(keys, options), options, NAMES.delete);
  }

  /**
   * Lets reads of `key` lead to `to`: to its newest value, or, with `atTx`, to the one that this transaction wrote, whatever
   * becomes of it. `to` must hold a value, and `key` must not.
   *
   * @example
   * await client.setReference('latest', 'invoice/17');
   * @throws ServerError NOT_FOUND when the server says that `to` is not there, or not of `atTx`
   * @throws ServerError SERVER_REFUSED when `to` is a reference itself, or `key` holds a value
   * @throws ServerError PRECONDITION_FAILED when one of `preconditions` does not hold
   */
  async setReference(
    key: BytesInput,
    to: BytesInput,
    options: ConditionalOptions & VersionOptions = NO_OPTIONS,
  ): Promise<Write> {
    const { group } = this.connection.options;
    return this.#write(referenceContent(key, to, options, group), options, NAMES.reference);
  }

  /**
   * Puts `key`, which must hold a value, into the sorted set `set`. Another score puts it there once more; with `atTx` it stands
   * for the value that this transaction wrote. All bits of the score are kept, −0 too. A server sorts negative scores behind all
   * others.
   *
   * @example
   * await client.zAdd('by-amount', 12.5, 'invoice/17');
   * @throws ServerError NOT_FOUND when the server says that `key` is not there, or not of `atTx`
   * @throws ServerError SERVER_REFUSED when `key` is a reference
   */
  async zAdd(
    set: BytesInput,
    score: number,
    key: BytesInput,
    options: NoWaitOptions & VersionOptions = NO_OPTIONS,
  ): Promise<Write> {
    const { group } = this.connection.options;
    return this.#write(memberContent(set, score, key, options, group), options, NAMES.zAdd);
  }

  /**
   * Sets entries, references and members of sorted sets in one transaction: all or none. Up to 1024 of them, none of which may
   * write what another does. `atTx: 'thisTx'` binds to the value that an operation before it sets. With `noWait` all must be
   * bound so.
   *
   * @example
   * await client.execAll([
   *   { set: { key: 'invoice/17', value: '12.50' } },
   *   { reference: { key: 'latest', to: 'invoice/17', atTx: 'thisTx' } },
   *   { zAdd: { set: 'by-amount', score: 12.5, key: 'invoice/17' } },
   * ]);
   * @throws ServerError as {@link set}, {@link setReference} and {@link zAdd} do
   */
  async execAll(ops: Iterable<Op>, options: ConditionalOptions = NO_OPTIONS): Promise<Write> {
    return this.#write(execAllContent(ops, options), options, NAMES.execAll);
  }

  // Verified writes

  /**
   * Writes one entry and proves that exactly it, its metadata included, is in the one trusted history. Resolves when the proof is
   * durable in the root store. Not repeated by itself. That `preconditions` were checked is the server's word.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws ServerError PRECONDITION_FAILED when one of `preconditions` does not hold: nothing is written then
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  verifiedSet(
    key: BytesInput,
    value: BytesInput,
    options: WriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    return rejecting(() =>
      this.#proven('verifiedSet', setContent(key, value, options), options, VERIFIED_NAMES.set),
    );
  }

  /**
   * Writes up to 1024 entries in one transaction, all or none, and proves that exactly they are in the one trusted
   * history. Like {@link verifiedSet} in everything else.
   */
  async verifiedSetAll(entries: Pairs, options: WriteOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.#proven('verifiedSetAll', setAllContent(entries, options), options, VERIFIED_NAMES.set);
  }

  /**
   * Deletes up to 1024 keys in one transaction, all or none, and proves that exactly these deletions, and those of the calls that
   * share it, are in the one trusted history: later verified reads of these keys do not show an older value. Not repeated by
   * itself.
   *
   * @example
   * const { tx } = await client.verifiedDelete('session/17');
   * @throws VerificationError when the server's answer does not prove the deletion
   * @throws ServerError NOT_FOUND when the server says that one of them is not there: none of `keys` is deleted then
   * @throws TransportError OUTCOME_UNKNOWN when it may have been done but could not be proven
   */
  async verifiedDelete(
    keys: BytesInput | Iterable<BytesInput>,
    options: DeleteOptions & VerifiedWriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    return this.#proven('verifiedDelete', deleteContent(keys, options), options, VERIFIED_NAMES.delete);
  }

  /**
   * {@link setReference}, and proves that exactly this reference, with the version that it is bound to, is in the one trusted
   * history. That `to` holds a value is the server's word: {@link verifiedGet} of `key` proves what it leads to.
   *
   * @example
   * const { tx } = await client.verifiedSetReference('latest', 'invoice/17');
   * @throws VerificationError when the server's answer does not prove the write
   * @throws ServerError as {@link setReference} does
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedSetReference(
    key: BytesInput,
    to: BytesInput,
    options: ConditionalOptions & VersionOptions & VerifiedWriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    const content = referenceContent(key, to, options, true);
    return this.#proven('verifiedSetReference', content, options, VERIFIED_NAMES.reference);
  }

  /**
   * {@link zAdd}, and proves that exactly this member, with all bits of its score, is in the one trusted history. That `key` holds
   * a value is the server's word.
   *
   * @example
   * const { tx } = await client.verifiedZAdd('by-amount', 12.5, 'invoice/17');
   * @throws VerificationError when the server's answer does not prove the write
   * @throws ServerError as {@link zAdd} does
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedZAdd(
    set: BytesInput,
    score: number,
    key: BytesInput,
    options: NoWaitOptions & VersionOptions & VerifiedWriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    const content = memberContent(set, score, key, options, true);
    return this.#proven('verifiedZAdd', content, options, VERIFIED_NAMES.zAdd);
  }

  /**
   * {@link execAll}, and proves that exactly these entries, references and members are in the one trusted history; what is bound
   * to `thisTx`, to the transaction that they are proven in.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws ServerError as {@link execAll} does
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedExecAll(
    ops: Iterable<Op>,
    options: ConditionalOptions & VerifiedWriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    return this.#proven('verifiedExecAll', execAllContent(ops, options), options, VERIFIED_NAMES.execAll);
  }

  /** @internal `names`: of the call's own options. */
  protected write(
    operation: string,
    content: WriteContent,
    options: VerifiedWriteOptions,
    names: readonly string[],
    room = this.room,
  ): Promise<VerifiedWrite> {
    optionsObject('options', options);
    const { ownTx = false } = options;
    flag(OWN_TX, ownTx);
    const turn = ownTx || isAlone(content) ? undefined : room.calls.turn();
    const write = () =>
      room.shareVerified(
        operation,
        options,
        names,
        content.bytes,
        (calls, trust, call) => calls.verifiedWrite(trust, call, content, turn),
        content.entries.length,
      );
    return turn ? turn.of(write) : write();
  }

  #proven(
    operation: string,
    content: WriteContent,
    options: VerifiedWriteOptions,
    names: readonly string[],
  ): Promise<VerifiedWrite> {
    return options === NO_OPTIONS || !wantsProof(options)
      ? this.write(operation, content, options, names)
      : this.#withProof(operation, content, options, names);
  }

  /** The proof is asked for in what is left of the time. */
  async #withProof(
    operation: string,
    content: WriteContent,
    options: VerifiedWriteOptions,
    names: readonly string[],
  ): Promise<VerifiedWrite> {
    const { room } = this;
    const deadline = this.connection.door.deadline(options, names);
    const write = await this.write(operation, content, options, names, room);
    return room
      .enterVerified(operation, deadline.left, [], (asking) => {
        // The log has counted it.
        const call = { ...asking.call, counted: true };
        return withWriteProof({ ...asking, call }, room.database, write, content);
      })
      .catch((error: unknown) => {
        throw withoutProof(write.tx, error);
      });
  }

  #write(content: WriteContent, options: CallOptions, names: readonly string[]): Promise<Write> {
    const { room } = this;
    const { bytes } = content;
    if (!this.connection.options.group || isAlone(content)) {
      const write = (_session: unknown, call: CallOptions) =>
        room.calls.writeAlone((rpc) => writeContent(rpc, content, call));
      return room.enter(options, names, write, bytes);
    }
    const turn = room.calls.turn();
    return turn.of(() =>
      room.share(content.form.method, options, names, bytes, (calls, deadline) =>
        calls.write(content, deadline, turn),
      ),
    );
  }
}
