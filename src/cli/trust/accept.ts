// `immu-ts trust accept` and `trust forget`: what is no longer to be trusted, on the user's word, with a row that says so.
import { visible } from '../../visible.js';
import { UsageError } from '../command.js';
import { storeCommand } from '../data/connect.js';

export const trustAcceptCommand = storeCommand({
  name: 'trust accept',
  operand: 'IDENTITY',
  summary: 'Says that the server with this identity is the one at --address from now on.',
  options: {},
  more: `When another server answers, errors name both identities: take the new one from there, once you know why it is another. What
is trusted of the server before stays in the store. Nothing is asked of the server.`,
  check(_values, [identity]) {
    if (identity === undefined || identity === '') throw new UsageError('trust accept takes IDENTITY');
  },
  async run({ client, words: [identity = ''], values: { json }, io, call }) {
    await client.acceptServer(identity, call);
    await io.out.write(
      json ? `${JSON.stringify({ accepted: identity })}\n` : `${visible(identity)} is accepted there\n`,
    );
    return 0;
  },
});

export const trustForgetCommand = storeCommand({
  name: 'trust forget',
  summary: 'Forgets what is trusted of a database; the next verified call begins anew.',
  options: {
    reason: { type: 'string', value: 'TEXT', says: 'why; stands in the log' },
  },
  more: 'For a database that was made anew, or restored, on purpose. The server must be reached, to know who it is.',
  check({ reason }) {
    if (reason === undefined || reason === '') throw new UsageError('trust forget takes --reason');
  },
  async run({ client, login, values: { reason = '', json }, io, call }) {
    await client.forgetTrust(reason, call);
    const { database } = login;
    await io.out.write(
      json ? `${JSON.stringify({ forgotten: database })}\n` : `trust in ${visible(database)} is forgotten\n`,
    );
    return 0;
  },
});
