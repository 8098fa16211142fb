// Which SQL statements a user may run on a database.
import { ArgumentError } from '../../../errors.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { oneOf, wrongType } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { databaseName } from '../../options/credentials.js';
import type { ChangeSQLPrivilegesRequest } from '../../../wire/messages.js';
import { userName } from './users.js';

const PRIVILEGES = ['SELECT', 'CREATE', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER'] as const;

/** Statements that begin with this word. */
export type SqlPrivilege = (typeof PRIVILEGES)[number];

/** What is sent. Throws ArgumentError naming what is wrong. */
export function sqlPrivilegesRequest(
  user: string,
  database: BytesInput,
  action: 'grant' | 'revoke',
  privileges: readonly SqlPrivilege[],
): ChangeSQLPrivilegesRequest {
  return {
    username: userName(user),
    database: databaseName(database),
    action: oneOf('action', action, ['grant', 'revoke']) === 'grant' ? 'GRANT' : 'REVOKE',
    privileges: distinct(privileges),
  };
}

function distinct(privileges: unknown): SqlPrivilege[] {
  if (!Array.isArray(privileges)) wrongType('privileges', 'an array', privileges);
  if (privileges.length < 1 || privileges.length > PRIVILEGES.length)
    throw new ArgumentError(
      'privileges',
      `privileges must be 1 to ${PRIVILEGES.length} of: ${PRIVILEGES.join(', ')}`,
    );
  const named = privileges.map((privilege: unknown, i) => oneOf(`privileges[${i}]`, privilege, PRIVILEGES));
  if (new Set(named).size < named.length)
    throw new ArgumentError('privileges', 'privileges holds one of them twice');
  return named;
}

export async function changeSqlPrivileges(
  rpc: Rpc,
  request: ChangeSQLPrivilegesRequest,
  options: CallOptions,
): Promise<void> {
  await rpc.unary('ChangeSQLPrivileges', request, options);
}
