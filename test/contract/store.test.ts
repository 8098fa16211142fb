// What every root store must do. A store is held to it by its line here; what only one store does is tested in test/store/.
import { describe, it } from 'vitest';
import { MemoryRootStore } from '#dist/store/memory/memory-root-store.js';
import { postgresBin } from '../support/postgres.js';
import { POSTGRES } from '../support/postgres-mark.js';
import { newPostgresStore } from '../store/postgres/support.js';
import { closing, newStore } from '../store/support.js';
import { anyOrder } from './store/any-order.js';
import { badArguments } from './store/arguments.js';
import { checkpoints } from './store/checkpoints.js';
import { afterClosing } from './store/closing.js';
import { evidence } from './store/evidence.js';
import { figures } from './store/figures.js';
import { forks } from './store/forks.js';
import { headers } from './store/headers.js';
import { heads } from './store/heads.js';
import { identities } from './store/identities.js';
import type { Keeping, OpenStore } from './store/open-store.js';
import { queries } from './store/queries.js';
import { singleRows } from './store/rows.js';

const stores: Readonly<Record<string, OpenStore<Keeping>>> = {
  MemoryRootStore: () => Promise.resolve(closing(new MemoryRootStore())),
  SqliteRootStore: () => newStore(),
  [`${POSTGRES} PostgresRootStore`]: () => newPostgresStore(),
};

describe.each(Object.entries(stores))('%s', (name, open) => {
  if (name.startsWith(POSTGRES) && postgresBin() === undefined) {
    it.skip('has no server', () => undefined);
    return;
  }
  heads(open);
  singleRows(open);
  queries(open);
  figures(open);
  forks(open);
  identities(open);
  anyOrder(open);
  evidence(open);
  checkpoints(open);
  headers(open);
  badArguments(open);
  afterClosing(open);
});
