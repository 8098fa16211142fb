// How Kysely's statements are written for immudb: its types, its order of words; and what immudb would not do is refused, not sent.
import { PostgresQueryCompiler } from 'kysely';
import type {
  ColumnDefinitionNode,
  CompiledQuery,
  CreateIndexNode,
  DataTypeNode,
  OnConflictNode,
  OperationNode,
  PrimaryKeyConstraintNode,
  QueryId,
  ReturningNode,
  RootOperationNode,
} from 'kysely';
import { ArgumentError } from '../errors.js';
import { columnOf } from './columns.js';

/** Types of other databases whose values one of immudb's holds. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ integer: 'INTEGER', int2: 'INTEGER', int4: 'INTEGER', int8: 'INTEGER' },
  ...{ smallint: 'INTEGER', bigint: 'INTEGER', boolean: 'BOOLEAN' },
  ...{ text: 'VARCHAR', varchar: 'VARCHAR', uuid: 'UUID', json: 'JSON' },
  ...{ real: 'FLOAT', float4: 'FLOAT', float8: 'FLOAT', 'double precision': 'FLOAT' },
  ...{ blob: 'BLOB', bytea: 'BLOB', varbinary: 'BLOB', binary: 'BLOB', timestamp: 'TIMESTAMP' },
};
const WITH_LENGTH = /^(varchar|varbinary|binary)\((\d+)\)$/;

export class ImmuQueryCompiler extends PostgresQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    const compiled = super.compileQuery(node, queryId);
    if (node.kind !== 'InsertQueryNode' || node.replace !== true) return compiled;
    return { ...compiled, sql: compiled.sql.replace(/^replace\b/, 'upsert') };
  }

  protected override getAutoIncrement(): string {
    return 'auto_increment';
  }

  protected override visitDataType({ dataType }: DataTypeNode): void {
    const [, sized = '', length] = WITH_LENGTH.exec(dataType) ?? [];
    const type = TYPES[length === undefined ? dataType : sized];
    if (type === undefined) {
      const what = `the type ${dataType} is none of immudb's: give one of them, such as sql\`VARCHAR[40]\``;
      throw new ArgumentError('dataType', what);
    }
    this.append(length === undefined ? type : `${type}[${length}]`);
  }

  /** The parts of a column stand in another order. */
  protected override visitColumnDefinition(node: ColumnDefinitionNode): void {
    const { generated, identity, references, unique, nullsNotDistinct, unsigned } = node;
    if (generated || identity || references || unique || nullsNotDistinct || unsigned)
      throw new ArgumentError(
        'column',
        'a column of immudb is not generated, identity, unique, unsigned or a foreign key: indexes are made by createIndex',
      );
    const { ifNotExists, column, dataType, notNull, autoIncrement, defaultTo, primaryKey, check } = node;
    if (ifNotExists === true) this.append('if not exists ');
    this.visitNode(column);
    this.append(' ');
    this.visitNode(dataType);
    this.#parts(node.frontModifiers);
    if (notNull === true) this.append(' not null');
    if (autoIncrement === true) this.append(` ${this.getAutoIncrement()}`);
    this.#parts(defaultTo && [defaultTo]);
    if (primaryKey === true) this.append(' primary key');
    this.#parts(check && [check]);
    this.#parts(node.endModifiers);
  }

  /** The primary key has no name. */
  protected override visitPrimaryKeyConstraint({ columns }: PrimaryKeyConstraintNode): void {
    this.append('primary key (');
    this.compileList(columns);
    this.append(')');
  }

  /** Nor has an index: it is known by its columns. */
  protected override visitCreateIndex(node: CreateIndexNode): void {
    const { unique, ifNotExists, table, columns, using, where } = node;
    if (!table || !columns || using || where)
      throw new ArgumentError('index', 'an index of immudb is one of a table and its columns, and no more');
    this.append(unique === true ? 'create unique index ' : 'create index ');
    if (ifNotExists === true) this.append('if not exists ');
    this.append('on ');
    this.visitNode(table);
    this.append(' (');
    this.compileList(columns);
    this.append(')');
  }

  protected override visitDropIndex(): void {
    throw new ArgumentError(
      'index',
      'an index of immudb has no name: sql`DROP INDEX ON …` tells its columns',
    );
  }

  protected override visitOnConflict(node: OnConflictNode): void {
    const { columns, constraint, indexExpression, indexWhere, updateWhere } = node;
    if (columns || constraint || indexExpression || indexWhere || updateWhere)
      throw new ArgumentError(
        'onConflict',
        "immudb's ON CONFLICT is that of the primary key, with no further condition: leave the columns out",
      );
    super.visitOnConflict(node);
  }

  /** Whatever is no column is answered with NULL; names of their own are given to the rows when they have come. */
  protected override visitReturning({ selections }: ReturningNode): void {
    this.append('returning ');
    this.compileList(selections.map(({ selection }) => returned(selection)));
  }

  #parts(nodes: readonly OperationNode[] | undefined): void {
    if (!nodes || nodes.length === 0) return;
    this.append(' ');
    this.compileList(nodes, ' ');
  }
}

function returned(selection: OperationNode): OperationNode {
  const column = columnOf(selection);
  if (column) return column.node;
  throw new ArgumentError(
    'returning',
    'immudb answers RETURNING with columns: it has no values of expressions',
  );
}
