// Runs the comparison with other clients. TypeScript is loaded for this process only: each client runs in one of its own.
import { tsImport } from 'tsx/esm/api';

await tsImport('./main.ts', import.meta.url);
