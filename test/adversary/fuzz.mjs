// `npm run fuzz -- --seconds 60 --seed 1`: the lying proxy at random. With `--model` the stateful model, on the embedded
// ledger or, with `--real`, on a real immudb; `--except rule,rule` looks for what else is broken.
import { tsImport } from 'tsx/esm/api';

const run = process.argv.includes('--model') ? '../model/fuzz-model.ts' : './fuzz-run.ts';
await tsImport(run, import.meta.url);
