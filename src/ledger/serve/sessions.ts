// Who is calling: sessions, and the older tokens.
import { refuse } from '../errors.js';
import { newSessionId, newToken } from '../engine/identity.js';

export interface Session {
  readonly id: string;
  readonly username: string;
  /** Selected database; UseDatabase changes it for every call of the session. */
  database: string;
  lastActivityMs: number;
}

interface Token {
  readonly username: string;
  readonly database: string | undefined;
  readonly expiresMs: number;
}

const TOKEN_LIFE_MS = 24 * 60 * 60 * 1000;

export class Sessions {
  readonly #timeoutMs: number;
  readonly #max: number;
  readonly #sessions = new Map<string, Session>();
  readonly #tokens = new Map<string, Token>();
  /** Logins per user that have not been logged out. */
  readonly #logins = new Map<string, number>();

  constructor(options: { readonly timeoutMs: number; readonly max: number }) {
    this.#timeoutMs = options.timeoutMs;
    this.#max = options.max;
  }

  open(username: string, database: string): Session {
    if (this.#sessions.size >= this.#max) {
      for (const id of this.#sessions.keys()) this.find(id);
      if (this.#sessions.size >= this.#max) throw refuse.tooManySessions();
    }
    const session = { id: newSessionId(), username, database, lastActivityMs: Date.now() };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The live session with this id; one that was idle for too long is over. */
  find(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (!session) return undefined;
    if (Date.now() - session.lastActivityMs <= this.#timeoutMs) return session;
    this.#sessions.delete(id);
    return undefined;
  }

  close(id: string): void {
    if (!this.#sessions.delete(id)) throw refuse.noSessionFound();
  }

  /** Ends every session of a user and takes back the login list entry: password or permissions have changed. */
  dropUser(username: string, options: { readonly tokens: boolean } = { tokens: false }): void {
    for (const session of this.#sessions.values()) {
      if (session.username === username) this.#sessions.delete(session.id);
    }
    this.#removeLogin(username);
    if (options.tokens) this.#dropTokens(username);
  }

  login(username: string, database: string | undefined): string {
    this.#logins.set(username, (this.#logins.get(username) ?? 0) + 1);
    return this.issueToken(username, database);
  }

  issueToken(username: string, database: string | undefined): string {
    const token = newToken();
    this.#tokens.set(token, { username, database, expiresMs: Date.now() + TOKEN_LIFE_MS });
    return token;
  }

  logout(username: string): void {
    if (this.#removeLogin(username)) this.#dropTokens(username);
  }

  /** User and selected database of a token. Throws when it is none of ours, or its user has logged out. */
  token(header: string): Token {
    const text = header.replace(/^Bearer /, '');
    if (text === '') throw refuse.notLoggedIn();
    const token = this.#tokens.get(text);
    if (!token) {
      if (text.split('.').length < 3)
        throw refuse.invalidToken('malformed token: expected at least 3 pieces');
      throw refuse.notLoggedIn();
    }
    if (token.expiresMs < Date.now()) {
      this.#tokens.delete(text);
      throw refuse.tokenExpired();
    }
    if (!this.#logins.has(token.username)) throw refuse.notLoggedIn();
    return token;
  }

  /** True when it was the user's last login. */
  #removeLogin(username: string): boolean {
    const left = (this.#logins.get(username) ?? 0) - 1;
    if (left > 0) {
      this.#logins.set(username, left);
      return false;
    }
    return this.#logins.delete(username);
  }

  #dropTokens(username: string): void {
    for (const [text, token] of this.#tokens) if (token.username === username) this.#tokens.delete(text);
  }
}
