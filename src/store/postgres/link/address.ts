// Where something is in PostgreSQL: one URL, or several of a primary and its standbys. Nothing of a password is ever shown.
import type { ClientConfig } from 'pg';
import { ArgumentError } from '../../../errors.js';
import { visible } from '../../../visible.js';
import { isPostgresUrl } from '../../postgres-url.js';

const MAX_CHARS = 4096;
const MAX_ADDRESSES = 16;

/** What a URL may say of the store behind it. */
const OF_STORE = ['schema', 'storeId', 'durability'] as const;

export interface Address {
  /** What it is called in messages: host, port and database. */
  readonly label: string;
  readonly config: ClientConfig;
  readonly told: Readonly<Partial<Record<(typeof OF_STORE)[number], string>>>;
}

/** @throws ArgumentError `url`, which never shows the text */
export function addressesOf(url: string | readonly string[]): Address[] {
  const urls: unknown[] = Array.isArray(url) ? url : [url];
  if (urls.length === 0 || urls.length > MAX_ADDRESSES)
    throw bad(`must be one URL, or 1 to ${MAX_ADDRESSES} of them`);
  return urls.map(addressOf);
}

function addressOf(text: unknown): Address {
  if (typeof text !== 'string' || text.length > MAX_CHARS || /[\s\p{Cc}]/u.test(text))
    throw bad(`must be a text of at most ${MAX_CHARS} characters, without spaces (write %20)`);
  if (!isPostgresUrl(text) || !URL.canParse(text)) throw bad('is not postgres://user@host:port/database');
  const url = new URL(text);
  const { hostname, port, pathname, searchParams } = url;
  if (searchParams.has('options')) throw bad('must have no options: they could make commits less durable');
  const host = hostname || searchParams.get('host') || 'localhost';
  const told: Partial<Record<(typeof OF_STORE)[number], string>> = {};
  for (const name of OF_STORE) {
    const [value, ...more] = searchParams.getAll(name);
    if (more.length > 0) throw bad(`has ${name} twice`);
    if (value !== undefined) told[name] = value;
    searchParams.delete(name);
  }
  return {
    label: visible(`postgres://${host}${port && `:${port}`}${pathname}`),
    config: { connectionString: url.href },
    told,
  };
}

/**
 * What the URLs and the options say of the store, which must be the same.
 *
 * @throws ArgumentError naming what they differ in
 */
export function toldOf(addresses: readonly Address[], options: Address['told']): Address['told'] {
  const all: Record<string, string> = {};
  for (const told of [options, ...addresses.map((address) => address.told)]) {
    for (const [name, value] of Object.entries(told)) {
      if ((all[name] ??= value) === value) continue;
      throw new ArgumentError(name, `${name} is told twice, and differently`);
    }
  }
  return all;
}

function bad(words: string): ArgumentError {
  return new ArgumentError('url', `the URL of PostgreSQL ${words}`);
}
