// `npm run bench:compare -- OTHER_CHECKOUT`: is this build as fast as that one, which is built? TypeScript is loaded for this
// thread only: a loader in the worker threads would be measured with them.
import { tsImport } from 'tsx/esm/api';

await tsImport('./main.ts', import.meta.url);
