// What a store is held to the contract by: a way to open a new one, which is closed after the test.
import type { HeaderStore, RootStore } from '#dist/store/root-store.js';

export type OpenStore<S extends RootStore = RootStore> = () => Promise<S & AsyncDisposable>;

/** A store that keeps headers too, which not every store has to. */
export type Keeping = RootStore & { readonly headers: HeaderStore };
