// What Piscina loads in a thread. It is CommonJS, for Piscina loads with `require`: when that loads an ES module and the
// thread is ended meanwhile, the whole process dies (Node 20, `v8::Module::IsGraphAsync`). `import()` just never ends then.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the way a CommonJS module imports
import workers = require('node:worker_threads');

interface Entry {
  readonly checkJobs: (message: ArrayBuffer) => unknown;
}

const { entry } = workers.workerData as { readonly entry: string };

/** Piscina waits for it, and tells whoever sent a message when it fails. */
export = { checkJobs: import(entry).then(({ checkJobs }: Entry) => checkJobs) };
