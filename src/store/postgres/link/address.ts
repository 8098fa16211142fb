// Where a store in PostgreSQL is: one URL, or several of a primary and its standbys. Nothing of a password is ever shown.
import type { ClientConfig } from 'pg';
import { ArgumentError } from '../../../errors.js';
import { visible } from '../../../visible.js';

const SCHEME = /^postgres(ql)?:\/\//i;
const MAX_CHARS = 4096;
const MAX_ADDRESSES = 16;

export interface Address {
  /** What it is called in messages: host, port and database. */
  readonly label: string;
  readonly config: ClientConfig;
}

export function isPostgresUrl(text: string): boolean {
  return SCHEME.test(text);
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
  const { hostname, port, pathname, searchParams } = new URL(text);
  if (searchParams.has('options')) throw bad('must have no options: they could make commits less durable');
  const host = hostname || searchParams.get('host') || 'localhost';
  return {
    label: visible(`postgres://${host}${port && `:${port}`}${pathname}`),
    config: { connectionString: text },
  };
}

function bad(words: string): ArgumentError {
  return new ArgumentError('url', `the URL of the PostgreSQL store ${words}`);
}
