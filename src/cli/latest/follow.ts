// `immu-ts follow`: reads and proves every transaction of a database, and says how far it is.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FollowProgress, Root } from '../../index.js';
import { hex } from '../format/row-columns.js';
import { jsonLine, rootWords } from '../data/show.js';
import { follow, followingCommand } from './following.js';

const EVERY_MS = 1000;

export const followCommand = followingCommand({
  name: 'follow',
  summary:
    'Reads and proves every transaction of the database (digests, no values), and says what is followed.',
  options: { watch: { type: 'boolean', says: 'goes on following, and says every second how far it is' } },
  more: 'Exit code 3: what the server shows is not proven.',
  async run({ client, values, io, call }) {
    const following = await follow(client, {}, io, call);
    const say = async () =>
      io.out.write(
        values.json
          ? jsonLine(true, shown(following.progress, following.head))
          : `${wordsOf(following.progress)}, ${rootWords(following.head)}\n`,
      );
    await say();
    while (values.watch) {
      await sleep(EVERY_MS, undefined, call);
      const { failure, status } = following.progress;
      if (failure && (status === 'refused' || status === 'ended')) throw failure;
      await say();
    }
    return 0;
  },
});

/** Ids as text, like those of all results. */
function shown({ failure, tx, headTx, ...progress }: FollowProgress, { alh }: Root) {
  const ids = { tx: tx.toString(), headTx: headTx.toString(), alh: hex(alh) };
  return { ...ids, ...progress, ...(failure && { failure: failure.message }) };
}

function wordsOf({ status, tx, headTx, keys, bytes, failure }: FollowProgress): string {
  const words = `${status}: tx ${tx.toString()} of ${headTx.toString()}, ${keys} keys, ${bytes} bytes`;
  return failure ? `${words} (${failure.message})` : words;
}
