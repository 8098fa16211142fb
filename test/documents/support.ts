// What the tests of documents share: a collection of people in a fresh database.
import type { ImmuClient } from '#dist/index.js';
import { openClient } from '../trust/support.js';
import type { Opened } from '../trust/support.js';

export const PEOPLE = {
  fields: [
    { name: 'name', type: 'STRING' },
    { name: 'age', type: 'INTEGER' },
    { name: 'score', type: 'DOUBLE' },
    { name: 'active', type: 'BOOLEAN' },
    { name: 'ref', type: 'UUID' },
    { name: 'address.city', type: 'STRING' },
  ],
  indexes: [{ fields: ['name'] }, { fields: ['age', 'score'] }],
} as const;

export async function openPeople(options: Parameters<typeof openClient>[0] = {}): Promise<Opened> {
  const opened = await openClient(options);
  await opened.client.documents.createCollection('people', PEOPLE);
  return opened;
}

/** Takes all there is. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

export async function insertOne(
  { documents }: ImmuClient,
  document: Parameters<ImmuClient['documents']['insert']>[1],
  collection = 'people',
): Promise<string> {
  const { ids } = await documents.insert(collection, document);
  return ids[0] as string;
}
