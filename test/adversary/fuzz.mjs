// `npm run fuzz -- --seconds 60 --seed 1`
import { tsImport } from 'tsx/esm/api';

await tsImport('./fuzz-run.ts', import.meta.url);
