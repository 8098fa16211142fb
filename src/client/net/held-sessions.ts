// How many sessions a client holds on its server, which has room for a hundred by default, those of all clients counted:
// idle ones beyond a few are given back, the one used longest ago first. Their next call opens them again.

/** A session of one database. */
export interface HeldSession {
  /** No call of it is under way. */
  readonly idle: boolean;
  /** On the clock of `performance.now()`. */
  readonly lastUsed: number;
  /** Gives the session back to the server. */
  suspend(): void;
}

const MAX_HELD = 16;

export class HeldSessions {
  readonly #held = new Set<HeldSession>();
  readonly #max: number;

  constructor(max = MAX_HELD) {
    this.#max = max;
  }

  /** The server holds this one now. */
  opened(session: HeldSession): void {
    this.#held.add(session);
    this.trim(session);
  }

  /** The server holds it no more. */
  gone(session: HeldSession): void {
    this.#held.delete(session);
  }

  /** For when calls have ended: there may be an idle one now. `but`: not this one, it is about to be used. */
  trim(but?: HeldSession): void {
    while (this.#held.size > this.#max) {
      let oldest: HeldSession | undefined;
      for (const session of this.#held) {
        if (session === but || !session.idle) continue;
        if (!oldest || session.lastUsed < oldest.lastUsed) oldest = session;
      }
      if (!oldest) return;
      this.#held.delete(oldest);
      oldest.suspend();
    }
  }
}
