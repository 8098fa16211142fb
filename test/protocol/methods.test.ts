// What may be sent again: decided for every RPC of the schema, and changed by nobody in passing.
import { expect, test } from 'vitest';
import { REPEATABLE } from '#dist/wire/methods.js';
import { allMethods, methodDefinition, wireMethod } from '#dist/wire/schema.js';

/** Sent again, they could be done twice: a write, a tx that stays open. Or nobody knows what they do. */
const NOT_REPEATABLE = [
  ...['CreateUser', 'ChangePassword', 'SetActiveUser', 'ChangePermission', 'ChangeSQLPrivileges'],
  ...['Set', 'VerifiableSet', 'Delete', 'ExecAll'],
  ...['SetReference', 'VerifiableSetReference', 'ZAdd', 'VerifiableZAdd'],
  ...['SQLExec', 'NewTx', 'Commit', 'Rollback', 'TxSQLExec', 'TxSQLQuery'],
  ...['streamSet', 'streamVerifiableSet', 'streamExecAll', 'streamExportTx', 'replicateTx'],
  ...['CreateDatabaseV2', 'UpdateDatabaseV2', 'LoadDatabase', 'UnloadDatabase', 'DeleteDatabase'],
  ...['TruncateDatabase', 'CompactIndex', 'CreateDatabase', 'CreateDatabaseWith'],
  ...['UpdateDatabase', 'UpdateAuthConfig', 'UpdateMTLSConfig'],
  ...['CreateCollection', 'UpdateCollection', 'DeleteCollection', 'AddField', 'RemoveField'],
  ...['CreateIndex', 'DeleteIndex', 'InsertDocuments', 'ReplaceDocuments', 'DeleteDocuments'],
];

test('every RPC is named as repeatable, or as not', () => {
  expect([...REPEATABLE, ...NOT_REPEATABLE].sort()).toEqual([...allMethods().keys()].sort());
});

test('an RPC is found by its name in any service', () => {
  expect(allMethods().size).toBe(93);
  expect(wireMethod('Set')).toBe(methodDefinition('immudb.schema.ImmuService', 'Set'));
  expect(wireMethod('ProofDocument').path).toBe('/immudb.model.DocumentService/ProofDocument');
  expect(wireMethod('OpenSession').path).toBe('/immudb.schema.ImmuService/OpenSession');
  const session = wireMethod('AuthorizationService.OpenSession');
  expect(session.path).toBe('/immudb.model.AuthorizationService/OpenSession');
  expect(() => wireMethod('KeepSecret' as never)).toThrow(RangeError);
});
