// `immu-ts trust pin`: trust in a database begins with this root.
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import { STORE_OPTION } from '../store-option.js';
import { beginWith, storeFor } from './begin.js';

const { 'state-key': stateKey } = TRUST_OPTIONS;

export const trustPinCommand = command({
  name: 'trust pin',
  operand: 'TX:ALH',
  summary: 'Begins trust in a database with this root; the server must prove that it extends it.',
  options: {
    ...CONNECT_OPTIONS,
    'state-key': stateKey,
    ...STORE_OPTION,
    json: { type: 'boolean', says: 'JSON' },
  },
  more: `Where the store trusts something of the database already, the older of the two is proven to be on the newer's history.
Exit code 3: the server does not stand by it.`,
  async run(options, root, io) {
    if (root === undefined) throw new UsageError('trust pin takes TX:ALH');
    const { trust, ...key } = await trustOf({ ...options, pin: root }, io);
    if (trust?.policy !== 'pinned') throw new UsageError('trust pin takes TX:ALH');
    const way = await wayTo(options, io);
    const { database } = way.credentials;
    const store = await storeFor(options, io);
    const state = await beginWith(
      { store, way, key, signal: io.signal },
      { database, tx: trust.tx, alh: trust.alh },
    );
    const { tx, signed } = state;
    const text = options.json
      ? JSON.stringify({
          database,
          tx: trust.tx.toString(),
          outcome: 'proven',
          headTx: tx.toString(),
          signed,
        })
      : `${visible(database)}: pinned at tx ${trust.tx.toString()}; proven: the history up to tx ${tx.toString()} extends it`;
    await io.out.write(`${text}\n`);
    return 0;
  },
});
