// A ledger in a process of its own, so that what it runs is not taken for the client's; with as many sessions as the test server
// has. Ends with its parent.
import { EmbeddedLedger } from '#dist/testing.js';

const ledger = await EmbeddedLedger.start({ maxSessions: 1000 });
process.send?.(ledger.address);
process.on('disconnect', () => process.exit());
