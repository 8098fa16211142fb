// docs/migrating.md: every name on the right-hand side is there, and every call of the clients on the left-hand side has a row.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as audit from '#dist/audit.js';
import * as root from '#dist/index.js';
import { REPOSITORY } from './project.js';

/** Public methods of `ImmudbClient` of immu-py 1.5.0, in its order. */
const IMMU_PY = `loadKey loadKeyFromString shutdown stub healthCheck login logout keepAlive openManagedSession openSession closeSession
  createUser listUsers changePassword changePermission databaseList createDatabase createDatabaseV2 databaseListV2 loadDatabase
  unloadDatabase deleteDatabase updateDatabaseV2 useDatabase getDatabaseSettingsV2 setActiveUser flushIndex compactIndex health
  currentState set verifiedSet expireableSet get verifiedGet verifiedGetSince verifiedGetAt history zAdd verifiedZAdd scan zScan txById
  verifiedTxById txScan serverInfo databaseHealth setAll getAll delete execAll setReference verifiedSetReference streamGet
  streamGetFull streamVerifiedGet streamVerifiedGetBuffered streamHistory streamHistoryBuffered streamZScanBuffered streamZScan
  streamScan streamScanBuffered streamExecAll streamVerifiedSet streamVerifiedSetFullValue streamSet streamSetFullValue exportTx
  replicateTx sqlExec sqlQuery listTables describeTable databaseCreate safeGet databaseUse safeSet verifiableSQLGet getAllValues
  getValue`;
/** Of immudb-node 1.1.1. */
const IMMUDB_NODE = `initClient shutdown login createDatabase useDatabase set get listDatabases changePermission listUsers createUser
  changePassword logout setActiveUser health count countAll scan history zScan currentState zAdd zAddAt verifiedZAdd verifiedZAddAt
  setReference setReferenceAt verifiedSetReference verifiedSetReferenceAt setAll execAll getAll verifiedSet verifiedGet verifiedGetAt
  verifiedGetSince updateAuthConfig updateMTLSConfig txById verifiedTxById txScan compactIndex SQLExec SQLQuery SQLListTables
  SQLDescribe`;
/** Of the interface `ImmuClient` of immudb 1.11.1. */
const GO = `Disconnect IsConnected WaitForHealthCheck HealthCheck Connect Login Logout OpenSession CloseSession GetSessionID CreateUser
  ListUsers ChangePassword ChangePermission UpdateAuthConfig UpdateMTLSConfig WithOptions WithLogger WithStateService WithClientConn
  WithServiceClient WithTokenService WithServerSigningPubKey WithStreamServiceFactory GetServiceClient GetOptions SetupDialOptions
  DatabaseList DatabaseListV2 CreateDatabase CreateDatabaseV2 LoadDatabase UnloadDatabase DeleteDatabase UseDatabase UpdateDatabase
  UpdateDatabaseV2 GetDatabaseSettings GetDatabaseSettingsV2 SetActiveUser FlushIndex CompactIndex ServerInfo Health CurrentState Set
  VerifiedSet ExpirableSet Get GetSince GetAt GetAtRevision VerifiedGet VerifiedGetSince VerifiedGetAt VerifiedGetAtRevision
  VerifiableGet History ZAdd VerifiedZAdd ZAddAt VerifiedZAddAt Scan ZScan TxByID VerifiedTxByID TxByIDWithSpec TxScan Count CountAll
  SetAll GetAll Delete ExecAll SetReference VerifiedSetReference SetReferenceAt VerifiedSetReferenceAt Dump StreamSet StreamGet
  StreamVerifiedSet StreamVerifiedGet StreamScan StreamZScan StreamHistory StreamExecAll ExportTx ReplicateTx StreamExportTx SQLExec
  SQLQuery SQLQueryReader ListTables DescribeTable VerifyRow NewTx TruncateDatabase`;
/** Of `QldbDriver`, `TransactionExecutor` and `Result` of amazon-qldb-driver-nodejs 3.1.0. */
const QLDB = `close executeLambda getTableNames abort execute executeAndStreamResults getTransactionId getResultList getConsumedIOs
  getTimingInformation`;

interface Row {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly cell: string;
}

const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** Rows of the table under `## From TITLE`. */
function rowsOf(page: string, title: string): Row[] {
  const [, section = ''] = page.split(`## From ${title}\n`);
  const [own = ''] = section.split('\n## ');
  const rows = own.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((line) => {
    const [, left = '', right = '', ...rest] = line.split('|');
    expect(rest.length, line).toBe(2);
    return { left: codes(left), right: codes(right), cell: right.trim() };
  });
}

/** A name of a client or of a part of it, an export, or an option. */
function isThere(name: string): boolean {
  if (name in root || name in audit) return true;
  const client = new root.ImmuClient({ store: new root.MemoryRootStore() });
  let at: unknown = client;
  for (const part of name.split('.')) {
    at =
      typeof at === 'object' && at !== null && part in at ? (at as Record<string, unknown>)[part] : undefined;
  }
  if (at !== undefined) return true;
  try {
    new root.ImmuClient({ [name]: undefined });
    return true;
  } catch {
    return false;
  }
}

const page = await readFile(join(REPOSITORY, 'docs/migrating.md'), 'utf8');

describe.each([
  ['immu-py', IMMU_PY],
  ['immudb-node', IMMUDB_NODE],
  ['the Go client', GO],
  ['the Amazon QLDB driver', QLDB],
])('from %s', (title, calls) => {
  const rows = rowsOf(page, title);

  test('every name on the right-hand side is there', () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.flatMap(({ right }) => right).filter((name) => !isThere(name))).toEqual([]);
    expect(rows.filter(({ right, cell }) => right.length === 0 && cell !== '–')).toEqual([]);
  });

  test('every call on the left-hand side has a row, and one only', () => {
    const left = rows.flatMap((row) => row.left);
    expect(calls.split(/\s+/).filter((name) => !left.includes(name))).toEqual([]);
    expect(left.filter((name, i) => left.indexOf(name) !== i)).toEqual([]);
  });
});

test('a name that is not there would be found', () => {
  expect(
    ['verifiedSet', 'users.create', 'verifyProof', 'serverPublicKey', 'Permission'].map(isThere),
  ).toEqual(Array(5).fill(true));
  expect(['verifiedSett', 'users.made', 'user.create', 'publicKey', 'audit.proof.x'].map(isThere)).toEqual(
    Array(5).fill(false),
  );
});
