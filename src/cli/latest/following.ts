// Commands that follow the database before they tell anything.
import type { FollowOptions, Following, ImmuClient } from '../../index.js';
import { UsageError } from '../command.js';
import type { Command, Io, Options } from '../command.js';
import { verifiedCommand } from '../data/connect.js';

/** A command whose answers are proven by all transactions: it has no unverified form. */
export function followingCommand<O extends Options>(
  definition: Parameters<typeof verifiedCommand<O>>[0],
): Command {
  const { check, name } = definition;
  return verifiedCommand({
    ...definition,
    check(values, words) {
      if (isUnverified(values))
        throw new UsageError(`--unverified goes without ${name}: it proves, or says nothing`);
      check?.(values, words);
    },
  });
}

/** Of values that are those of a verified command, too. */
function isUnverified(values: object): boolean {
  return (values as { readonly unverified?: boolean }).unverified === true;
}

const SAY_EVERY_MS = 2000;

/** Follows up to where the server is now, and says on standard error how far it is, where that takes long. */
export async function follow(
  client: ImmuClient,
  options: FollowOptions,
  { err }: Io,
  call: { readonly signal: AbortSignal },
): Promise<Following> {
  const following = await client.follow({ ...options, ...call });
  const say = () => {
    const { tx, headTx } = following.progress;
    void err.write(`followed to tx ${tx.toString()} of ${headTx.toString()}\n`);
  };
  const timer = setInterval(say, SAY_EVERY_MS);
  try {
    await following.ready({ ...call, timeoutMs: LONGEST_MS });
  } finally {
    clearInterval(timer);
  }
  return following;
}

/** Following a large database takes as long as it takes: Ctrl-C ends it. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Option of commands that list. */
export const COMPLETE_OPTION = {
  complete: { type: 'boolean', says: 'proven to be all: every transaction of the database is read first' },
} as const;

/** What `--complete` asks for, after following. */
export async function completeOptions(
  client: ImmuClient,
  { complete }: { readonly complete: boolean },
  io: Io,
  call: { readonly signal: AbortSignal },
): Promise<{ readonly complete: true } | undefined> {
  if (!complete) return undefined;
  await follow(client, { ordered: true }, io, call);
  return { complete: true };
}

/** @throws UsageError */
export function assertVerified(option: string, given: boolean, values: object): void {
  if (given && isUnverified(values))
    throw new UsageError(`${option} goes without --unverified: it is proven, or not`);
}
