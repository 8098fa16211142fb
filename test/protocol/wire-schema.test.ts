// How the schema is loaded: without a file of proto/, 64-bit fields never as JS numbers.
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadSchema, methodDefinition } from '#dist/wire/schema.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('wire schema', () => {
  it('is loaded once', () => {
    expect(loadSchema()).toBe(loadSchema());
  });

  it('keeps names, 64-bit fields as decimal strings, bytes as Buffer, and leaves out what is not set', () => {
    const set = methodDefinition('immudb.schema.ImmuService', 'Set');
    const header = { id: '18446744073709551615', ts: '-9223372036854775808', eH: Buffer.from([1, 2]) };
    expect(set.path).toBe('/immudb.schema.ImmuService/Set');
    expect(set.responseDeserialize(set.responseSerialize(header))).toEqual(header);
    const request = { KVs: [{ key: Buffer.from('k') }] };
    expect(set.requestDeserialize(set.requestSerialize(request))).toEqual(request);
  });

  it('names the member of a oneof that is present, and enum values', () => {
    const exec = methodDefinition('immudb.schema.ImmuService', 'TxSQLExec');
    const given = { params: [{ value: { n: '7' } }] };
    expect(exec.requestDeserialize(exec.requestSerialize(given))).toEqual({
      params: [{ value: { n: '7', value: 'n' } }],
    });
    const tx = methodDefinition('immudb.schema.ImmuService', 'NewTx');
    expect(tx.requestDeserialize(tx.requestSerialize({ mode: 2 }))).toEqual({ mode: 'ReadWrite' });
  });

  it('refuses a method that is not there', () => {
    expect(() => methodDefinition('immudb.schema.ImmuService', 'KeepSecret')).toThrow(RangeError);
  });

  it('needs no file of proto/', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'immu-ts-installed-'));
    try {
      const installed = join(dir, 'node_modules', 'immu-ts');
      await mkdir(join(installed, 'dist', 'wire'), { recursive: true });
      await writeFile(join(installed, 'package.json'), '{"type":"module"}');
      for (const file of ['schema.js', 'schema-data.js'])
        await cp(join(root, 'dist', 'wire', file), join(installed, 'dist', 'wire', file));
      await symlink(join(root, 'node_modules', '@grpc'), join(dir, 'node_modules', '@grpc'));
      const url = pathToFileURL(join(installed, 'dist', 'wire', 'schema.js')).href;
      const module = (await import(url)) as { loadSchema: typeof loadSchema };
      expect(Object.keys(module.loadSchema())).toEqual(Object.keys(loadSchema()));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
