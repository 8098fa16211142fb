// `immu-ts documents list`: the collections of a database.
import type { CollectionInfo } from '../../index.js';
import type { Column } from '../format/columns.js';
import { serverCommand } from '../data/connect.js';
import { list } from '../data/listing.js';

const COLUMNS: readonly Column<CollectionInfo>[] = [
  { name: 'name', value: ({ name }) => name, width: 24 },
  { name: 'id field', value: ({ idField }) => idField, width: 12 },
  {
    name: 'fields',
    value: ({ fields }) => fields.map(({ name, type }) => `${name} ${type}`).join(', '),
    width: 0,
  },
];

export const documentsListCommand = serverCommand({
  name: 'documents list',
  summary: "Lists the collections of the database, by the server's word. With --json, their indexes too.",
  options: {},
  async run({ client, values: { json }, io, call }) {
    await list(io, await client.documents.collections(call), COLUMNS, { json, verified: false });
    return 0;
  },
});
