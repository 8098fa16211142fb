// How a login is obtained from the server, and given back: as a session, as a token, or not at all.
import { Metadata } from '@grpc/grpc-js';
import { TransportError } from '../../errors.js';
import type { Channel } from './channel.js';
import type { ResolvedCredentials } from '../options/credentials.js';

export type LoginKind = 'session' | 'token' | 'anonymous';

/** What every call under a login carries. A lost one is replaced as a whole, so it is compared by identity. */
export interface Ticket {
  readonly metadata: Metadata;
}

let nothing: Metadata | undefined;

/** What calls carry that need none, or are to obtain one. */
export const NO_TICKET: Ticket = {
  // Not before it is asked for: gRPC is loaded when a client is made.
  get metadata() {
    return (nothing ??= new Metadata());
  },
};

/** Longest wait for the server's word when logging out: it ends idle sessions by itself. */
const LOGOUT_TIMEOUT_MS = 2000;

/** Opens a session on `database`. */
export async function openSession(
  channel: Channel,
  { user, password }: ResolvedCredentials,
  database: string,
  timeoutMs: number,
): Promise<Ticket> {
  const request = {
    username: Buffer.from(user),
    password: Buffer.from(password.reveal()),
    databaseName: database,
  };
  const answer = await channel.unary('OpenSession', request, { ...NO_TICKET, timeoutMs });
  return ticket('sessionid', answer.sessionID, channel.address);
}

/** Logs in with a token and has it bound to `database`. */
export async function obtainToken(
  channel: Channel,
  { user, password }: ResolvedCredentials,
  database: string,
  timeoutMs: number,
): Promise<Ticket> {
  const request = { user: Buffer.from(user), password: Buffer.from(password.reveal()) };
  const answer = await channel.unary('Login', request, { ...NO_TICKET, timeoutMs });
  const { metadata } = ticket('authorization', answer.token, channel.address);
  const bound = await channel.unary(
    'UseDatabase',
    { databaseName: database },
    { ...NO_TICKET, timeoutMs, metadata },
  );
  return ticket('authorization', bound.token, channel.address);
}

/** Gives a login back, as far as the server can be reached. */
export async function giveBack(
  channel: Channel,
  kind: 'session' | 'token',
  { metadata }: Ticket,
): Promise<void> {
  const method = kind === 'session' ? 'CloseSession' : 'Logout';
  const call = { timeoutMs: LOGOUT_TIMEOUT_MS, metadata, farewell: true };
  await channel.unary(method, {}, call).catch(() => undefined);
}

/** What a call in a transaction of the session carries. */
export function inTransaction({ metadata }: Ticket, transactionId: string): Metadata {
  const carried = metadata.clone();
  carried.set('transactionid', transactionId);
  return carried;
}

function ticket(header: string, value: string | undefined, address: string): Ticket {
  const metadata = new Metadata();
  // Header values: what cannot be one must not be sent, nor shown.
  if (!value || !/^[\x21-\x7e]{1,4096}$/.test(value)) {
    throw new TransportError(
      'UNAVAILABLE',
      `the server at ${address} answered a login with no usable ${header}`,
    );
  }
  metadata.set(header, value);
  return { metadata };
}
