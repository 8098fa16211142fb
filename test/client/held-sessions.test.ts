// Sessions that a client holds on its server: which are given back, and which never.
import { expect, test } from 'vitest';
import { HeldSessions } from '#dist/client/net/held-sessions.js';
import type { HeldSession } from '#dist/client/net/held-sessions.js';

class TestSession implements HeldSession {
  idle = true;
  suspended = 0;
  constructor(
    readonly held: HeldSessions,
    readonly lastUsed: number,
  ) {}
  suspend(): void {
    this.suspended += 1;
    this.held.gone(this);
  }
}

test('the idle ones beyond the limit, the one used longest ago first', () => {
  const held = new HeldSessions(3);
  const sessions = [5, 3, 9, 1].map((lastUsed) => new TestSession(held, lastUsed));
  for (const session of sessions.slice(0, 3)) held.opened(session);
  expect(sessions.map(({ suspended }) => suspended)).toEqual([0, 0, 0, 0]);
  // Not itself, though it was used before all others: it is about to be.
  held.opened(sessions[3]!);
  expect(sessions.map(({ suspended }) => suspended)).toEqual([0, 1, 0, 0]);
  held.opened(sessions[1]!);
  expect(sessions.map(({ suspended }) => suspended)).toEqual([0, 1, 0, 1]);
});

test('none that is in use; it goes when it is idle again', () => {
  const held = new HeldSessions(1);
  const [one, two, three] = [1, 2, 3].map((lastUsed) => new TestSession(held, lastUsed));
  for (const session of [one!, two!, three!]) {
    session.idle = false;
    held.opened(session);
  }
  expect([one, two, three].map((session) => session!.suspended)).toEqual([0, 0, 0]);
  two!.idle = true;
  held.trim();
  one!.idle = true;
  held.trim();
  three!.idle = true;
  held.trim();
  expect([one, two, three].map((session) => session!.suspended)).toEqual([1, 1, 0]);
});

test('one that the server has ended counts no more', () => {
  const held = new HeldSessions(1);
  const [one, two] = [1, 2].map((lastUsed) => new TestSession(held, lastUsed));
  held.opened(one!);
  held.gone(one!);
  held.opened(two!);
  expect([one, two].map((session) => session!.suspended)).toEqual([0, 0]);
});
