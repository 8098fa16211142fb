// The types of the wire are those of proto/, and so is the schema: `npm run wire-types` would change nothing.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { schemaData, wireTypes } from '../../proto/generate-types.js';

test('src/wire/messages.ts is what proto/ gives', async () => {
  expect(await readFile('src/wire/messages.ts', 'utf8')).toBe(await wireTypes());
});

test('src/wire/schema-data.ts is what proto/ gives', async () => {
  expect(await readFile('src/wire/schema-data.ts', 'utf8')).toBe(schemaData());
});
