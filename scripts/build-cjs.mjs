// Makes dist/cjs/, the package for whoever has `require` and no ES modules (jest, mostly). The same sources, compiled to
// CommonJS; what threads run are the ES modules of dist/ here too. @noble/hashes is ESM only, so its SHA-256 comes along,
// compiled likewise.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CJS = join(ROOT, 'dist', 'cjs');
const require = createRequire(import.meta.url);
const NOBLE = dirname(require.resolve('@noble/hashes/sha2.js'));
const NOBLE_IMPORT = '@noble/hashes/sha2.js';

const tsc = require.resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.cjs.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n');
// One file says where the package is, for both builds.
writeFileSync(join(CJS, 'here.cjs'), "module.exports = require('../here.cjs');\n");
rmSync(join(CJS, 'here.cjs.map'), { force: true });

mkdirSync(join(CJS, 'noble'), { recursive: true });
copyFileSync(join(NOBLE, 'LICENSE'), join(CJS, 'noble', 'LICENSE'));
const waiting = ['sha2.js'];
for (const name of waiting) {
  const text = readFileSync(join(NOBLE, name), 'utf8');
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, removeComments: true };
  writeFileSync(join(CJS, 'noble', name), ts.transpileModule(text, { compilerOptions: options }).outputText);
  for (const [, other] of text.matchAll(/^import .* from "\.\/(\w+\.js)";$/gm))
    if (!waiting.includes(other)) waiting.push(other);
}

let replaced = 0;
for (const entry of readdirSync(CJS, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
  const file = join(entry.parentPath, entry.name);
  const text = readFileSync(file, 'utf8');
  if (!text.includes(`require("${NOBLE_IMPORT}")`)) continue;
  if (dirname(file) !== join(CJS, 'proof'))
    throw new Error(`${file} imports ${NOBLE_IMPORT}: only proof/ may`);
  writeFileSync(file, text.replace(`require("${NOBLE_IMPORT}")`, 'require("../noble/sha2.js")'));
  replaced += 1;
}
if (replaced !== 1) throw new Error(`${NOBLE_IMPORT} is required in ${replaced} files, not in one`);
