// What a write can be told beside what it writes.
import { ArgumentError } from '../../errors.js';
import type { CallOptions } from './call-options.js';
import type { Precondition } from './conditions.js';
import type { ProofOptions } from './proof-options.js';
import { flag, knownNames, optionsObject } from './option-checks.js';

/** Attributes of entries, stored and hashed with them. */
export interface EntryMetadata {
  /** From this second of the Unix time on, by the server's clock, reads find no such key; its history stays. */
  readonly expiresAt?: bigint;
  /** Reads do not find the entry by its key, which they show as it was before: it is found in its transaction only. */
  readonly nonIndexable?: boolean;
}

export interface NoWaitOptions extends CallOptions {
  /**
   * Answered before the server has indexed the entries, which it has stored: a scan may not show them yet. Such a write shares its
   * transaction with no other, and keeps no order with others in flight. @default false
   */
  readonly noWait?: boolean;
}

export interface ConditionalOptions extends NoWaitOptions {
  /**
   * What must hold, or nothing is written: PRECONDITION_FAILED. The server checks them when it writes; that it did is recorded
   * nowhere, so no proof covers it. At most 1024.
   */
  readonly preconditions?: readonly Precondition[];
}

/** How entries are set. */
export interface SetOptions extends ConditionalOptions {
  /** Of every entry of the call. */
  readonly metadata?: EntryMetadata;
}

/** How keys are deleted. */
export interface DeleteOptions extends NoWaitOptions {
  /** The server looks for the keys once it has indexed this transaction. Such a delete shares its transaction with no other. */
  readonly sinceTx?: bigint;
}

/** How a reference is written, or a member of a sorted set. */
export interface VersionOptions {
  /** The version of the key that it leads to: the one that this transaction wrote. @default the newest at the time of a read */
  readonly atTx?: bigint;
}

/** How a verified write is sent. */
export interface OwnTxOptions {
  /** In a transaction that holds nothing else. @default false: writes in flight share transactions */
  readonly ownTx?: boolean;
}

/** What every verified write can be told. */
export interface VerifiedWriteOptions extends CallOptions, OwnTxOptions, ProofOptions {}

/** How a verified write of entries is sent. */
export interface WriteOptions extends SetOptions, VerifiedWriteOptions {}

/** The last second of the year 9999. A server that takes a later one may count it as long past. */
const MAX_EXPIRES_AT = 253_402_300_799n;

/** Throws ArgumentError naming the part of `name` that is wrong. */
export function checkMetadata(name: string, metadata: EntryMetadata | undefined): EntryMetadata | undefined {
  if (metadata === undefined) return undefined;
  optionsObject(name, metadata);
  knownNames(name, metadata, ['expiresAt', 'nonIndexable']);
  const { expiresAt, nonIndexable = false } = metadata;
  flag(`${name}.nonIndexable`, nonIndexable);
  if (expiresAt !== undefined && !isExpiry(expiresAt)) {
    const path = `${name}.expiresAt`;
    throw new ArgumentError(
      path,
      `${path} must be a bigint: unix seconds from 1 to ${MAX_EXPIRES_AT.toString()}`,
    );
  }
  if (expiresAt === undefined && !nonIndexable) return undefined;
  return { ...(expiresAt !== undefined && { expiresAt }), ...(nonIndexable && { nonIndexable }) };
}

function isExpiry(expiresAt: unknown): boolean {
  return typeof expiresAt === 'bigint' && expiresAt >= 1n && expiresAt <= MAX_EXPIRES_AT;
}
