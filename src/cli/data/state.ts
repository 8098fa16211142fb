// `immu-ts state`: the newest transaction of a database.
import type { ClaimedState, VerifiedState } from '../../index.js';
import { verifiedCommand } from './connect.js';
import { jsonLine, rootWords } from './show.js';

export const stateCommand = verifiedCommand({
  name: 'state',
  summary:
    "Shows the database's newest transaction, proven to extend what was trusted before; it is trusted then.",
  options: {},
  more: 'That there is nothing newer is the word of the server. Exit code 3: it does not extend what was trusted.',
  async run({ client, values: { unverified, json }, io, call }) {
    const state = await (unverified ? client.currentState(call) : client.verifiedState(call));
    if (json) {
      await io.out.write(jsonLine(!unverified, state));
      return 0;
    }
    await io.out.write(`${rootWords(state)}\n`);
    await io.err.write(`${proofOf(state)}\n`);
    return 0;
  },
});

function proofOf(state: VerifiedState | ClaimedState): string {
  if (!('root' in state)) return "NOT VERIFIED, the server's word";
  const signature = state.signed ? 'and it is signed' : 'no public key of the server was given';
  return `verified: it extends what was trusted, ${signature}`;
}
