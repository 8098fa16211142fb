// What projects of the matrix do with the package: sets and gets on the embedded ledger, every answer checked by threads, rows
// in a store file, and a lie that must be found.

/** `imports` is how the package is had. Prints one line of JSON. */
export const program = (imports: string): string => `${imports}
async function main() {
  const ledger = await EmbeddedLedger.start();
  const store = await SqliteRootStore.open('roots.' + process.pid + '.db');
  const client = new ImmuClient({
    address: ledger.address,
    credentials: { user: 'immudb', password: 'immudb' },
    store,
    verifier: { threads: 2, inlineBelowJobs: 0 },
  });
  const keys = Array.from({ length: 40 }, (_, i) => 'key/' + i);
  await Promise.all(keys.map((key) => client.verifiedSet(key, 'value of ' + key)));
  const entries = await Promise.all(keys.map((key) => client.verifiedGet(key)));
  const right = entries.filter((entry, i) => entry && Buffer.from(entry.value).toString() === 'value of ' + keys[i]);
  ledger.lie({ kind: 'swap-value', methods: ['VerifiableGet'] });
  const refused = await client.verifiedGet('key/7').catch((error) => error);
  const verdict = await client.audit.verify();
  await client.close();
  await store.close();
  await ledger.close();
  const lied = refused instanceof VerificationError ? refused.code : String(refused);
  const out = JSON.stringify({ right: right.length, lied, chain: verdict.ok, archives: typeof openArchive, driver: store.driver });
  console.log(out);
  return out;
}
`;
const NAMES = [
  ['ImmuClient, SqliteRootStore, VerificationError', 'immu-ts'],
  ['EmbeddedLedger', 'immu-ts/testing'],
  ['openArchive', 'immu-ts/audit'],
] as const;

export const ESM_IMPORTS = NAMES.map(([names, from]) => `import { ${names} } from '${from}';`).join('\n');
export const CJS_IMPORTS = NAMES.map(([names, from]) => `const { ${names} } = require('${from}');`).join(
  '\n',
);
export const ESM = `${program(ESM_IMPORTS)}main();\n`;
export const CJS = `${program(CJS_IMPORTS)}main();\n`;

export type Driver = 'better-sqlite3' | 'node:sqlite';
export const worked = (driver: Driver) =>
  `{"right":40,"lied":"VERIFICATION_FAILED","chain":true,"archives":"function","driver":"${driver}"}`;

export const TYPED = `import { ImmuClient, ImmuError, Permission, type AuditRow, type VerifiedEntry } from 'immu-ts';
import { openArchive } from 'immu-ts/audit';
import { EmbeddedLedger, type EmbeddedLedgerOptions } from 'immu-ts/testing';

export async function use(options: EmbeddedLedgerOptions): Promise<VerifiedEntry | null> {
  const ledger = await EmbeddedLedger.start(options);
  const client = new ImmuClient({ address: ledger.address, credentials: { user: 'immudb', password: 'immudb' } });
  try {
    const { tx }: { tx: bigint } = await client.verifiedSet('key', new Uint8Array([1]));
    await client.createUser('reader', 'Secret-17', Permission.R);
    const rows: AuditRow[] = [];
    for await (const row of client.audit.roots({ txRange: { from: tx } })) rows.push(row);
    const archive = await openArchive('nowhere');
    await archive.close();
    return await client.verifiedGet('key', { atTx: tx, timeoutMs: 1000 });
  } catch (error) {
    if (error instanceof ImmuError && error.code === 'VERIFICATION_FAILED') return null;
    throw error;
  } finally {
    await client.close();
    await ledger.close();
  }
}
`;
