// proto/ against the real server: name by name, number by number, type by type, in both directions.
import { beforeAll, expect, it } from 'vitest';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { loadSchema } from '#dist/wire/schema.js';
import { factsOf } from '../support/descriptors.js';
import { describeReal, sharedImmudb } from '../support/real.js';
import { reflect } from '../support/reflection.js';

describeReal('wire schema', () => {
  let ours: string[];
  let theirs: string[];
  let services: string[];

  beforeAll(async () => {
    const reflected = await reflect(sharedImmudb());
    services = reflected.services;
    theirs = factsOf(reflected.files, 'immudb.', 'exclusive');
    const any = loadSchema()['immudb.schema.TxHeader'] as MessageTypeDefinition<object, object>;
    ours = factsOf(any.fileDescriptorProtos, 'immudb.', 'inclusive');
  });

  it('serves the three services that we know', () => {
    expect(services.sort()).toEqual([
      'immudb.model.AuthorizationService',
      'immudb.model.DocumentService',
      'immudb.schema.ImmuService',
    ]);
  });

  it('misses nothing that the server has', () => {
    expect(theirs.filter((fact) => !ours.includes(fact))).toEqual([]);
  });

  it('has nothing that the server does not have', () => {
    expect(ours.filter((fact) => !theirs.includes(fact))).toEqual([]);
  });

  it.each([
    ['service ', 3],
    ['rpc ', 93],
    ['message ', 176],
    ['enum ', 5],
  ])('compares every %s', (kind, count) => {
    expect(theirs.filter((fact) => fact.startsWith(kind))).toHaveLength(count);
  });
});
