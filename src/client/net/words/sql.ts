// What servers say of statements: rows of the table of their words (server-words.ts beside).

/** The RPCs of SQL. */
const SQL = /SQL|^(Commit|Rollback|NewTx|DescribeTable)$/;

export const SQL_WORDS = [
  {
    words: /^((table|column|constraint|view|sequence) does not exist|index not found)/,
    on: SQL,
    code: 'NOT_FOUND',
    says: 'there is no such table, or no such part of it',
  },
  {
    words: 'no transaction found',
    on: SQL,
    code: 'NOT_FOUND',
    says: 'the transaction has ended',
  },
  {
    words: /^(key already exists|not nullable column can not be null|check constraint violation)/,
    on: SQL,
    code: 'PRECONDITION_FAILED',
    says: 'a row was refused',
  },
  {
    words:
      /^((table|column|index) already exists|cannot drop column|unique index creation is only supported on empty tables)/,
    on: SQL,
    code: 'PRECONDITION_FAILED',
    says: 'the table is not as the statement needs it',
  },
  {
    words: /^max length exceeded/,
    on: SQL,
    code: 'LIMIT_EXCEEDED',
    says: 'a value is too long for its column',
  },
  {
    words: 'max key length exceeded',
    on: SQL,
    code: 'LIMIT_EXCEEDED',
    says: 'a primary key or an index is too long: with one VARCHAR or BLOB in it, that may have 501 bytes',
  },
] as const;
