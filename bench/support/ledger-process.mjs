// An embedded ledger in a process of its own: prints its address, ends with its standard input.
import { EmbeddedLedger } from '../../dist/testing.js';

const ledger = await EmbeddedLedger.start();
console.log(ledger.address);
process.stdin.resume().on('end', () => void ledger.close());
