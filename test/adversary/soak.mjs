// `npm run soak -- --minutes 3 --seed 1`
import { tsImport } from 'tsx/esm/api';

await tsImport('./soak-run.ts', import.meta.url);
