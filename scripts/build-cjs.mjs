// Makes what is published. dist/cjs/: the sources, compiled to CommonJS, for files of that kind load in half the time and can load
// others when they are needed. Threads and the command run them too. @noble/hashes is ESM only, so its SHA-256 comes along, compiled
// likewise. dist/esm/ gives the same objects to those who import them: there is one of each class, however the package is had. The
// ES modules beside them in dist/ are for our tests and benches.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CJS = join(ROOT, 'dist', 'cjs');
const require = createRequire(import.meta.url);
const NOBLE = dirname(require.resolve('@noble/hashes/sha2.js'));
const NOBLE_IMPORT = '@noble/hashes/sha2.js';
const THREAD_ENTRY = join('worker', 'thread-entry.cjs');
const ENTRIES = ['index', 'audit', 'testing', 'kysely', 'opentelemetry', 'postgres'];
/** Whose types are those of another package, which has its own for each format: written out, not passed on. */
const TYPED_TWICE = 'kysely';
/** Most of the time of an import. In files of these paths, what they require is loaded when it is first used. */
const LAZY = [
  // gRPC: when a client is made.
  { where: /^(client|wire)\//, what: /"(@grpc\/[\w-]+)"/ },
  // Our own files: those of a call when it is first made. These hold one line for each of some 150 of them, of which a program
  // makes a few; what is run for every entry or hash is in others.
  { where: /^client\/(?:faces\/|room\/|[\w-]+\.js$)/, what: /"(\.{1,2}\/[^"]+)"/ },
];

const tsc = require.resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.cjs.json', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n');
// One file says where the package is, for both builds; and one is loaded by Piscina.
writeFileSync(join(ROOT, 'dist', 'here.cjs'), "module.exports = require('./cjs/here.cjs');\n");
const threadEntry = readFileSync(join(ROOT, 'dist', THREAD_ENTRY), 'utf8');
writeFileSync(join(CJS, THREAD_ENTRY), threadEntry.replace(/^\/\/# sourceMappingURL=.*/m, ''));

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
  const changed = withLazy(file, withNoble(file, text));
  if (changed !== text) writeFileSync(file, changed);
}
if (replaced !== 1) throw new Error(`${NOBLE_IMPORT} is required in ${replaced} files, not in one`);

function withNoble(file, text) {
  if (!text.includes(`require("${NOBLE_IMPORT}")`)) return text;
  if (dirname(file) !== join(CJS, 'proof'))
    throw new Error(`${file} imports ${NOBLE_IMPORT}: only proof/ may`);
  replaced += 1;
  return text.replace(`require("${NOBLE_IMPORT}")`, 'require("../noble/sha2.js")');
}

function withLazy(file, text) {
  const path = relative(CJS, file).replaceAll(sep, '/');
  let lazy = text;
  for (const { where, what } of LAZY) {
    if (!where.test(path)) continue;
    const form = new RegExp(`^const (\\w+) = require\\(${what.source}\\);$`, 'gm');
    const names = [...text.matchAll(form)].map(([, name]) => name);
    if (names.length !== [...text.matchAll(new RegExp(`require\\(${what.source}`, 'g'))].length)
      throw new Error(`${file} has a form of import that is not known here`);
    for (const name of names) lazy = lazy.replace(new RegExp(`\\b${name}\\.`, 'g'), `(${name}()).`);
    lazy = lazy.replace(form, 'let $1_; const $1 = () => ($1_ ??= require("$2"));');
  }
  return lazy;
}

mkdirSync(join(ROOT, 'dist', 'esm'), { recursive: true });
for (const entry of ENTRIES) {
  const names = Object.keys(require(join(CJS, `${entry}.js`))).sort();
  const file = (ending) => join(ROOT, 'dist', 'esm', entry + ending);
  writeFileSync(file('.js'), `export { ${names.join(', ')} } from '../cjs/${entry}.js';\n`);
  writeFileSync(
    file('.d.ts'),
    entry === TYPED_TWICE ? ownTypes(entry) : `export * from '../cjs/${entry}.js';\n`,
  );
}

// Types that no export leads to are of no use to anybody, and take as much room on a disk as those that do.
const typed = new Set();
const leads = ENTRIES.map((entry) => join(CJS, `${entry}.d.ts`));
for (const file of leads) {
  if (typed.has(file)) continue;
  typed.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(
    /(?:from|import|module)\s*\(?['"](\.[^'"]*)js['"]/g,
  ))
    leads.push(join(dirname(file), path.replace(/(c?)$/, 'd.$1ts')));
}
for (const name of readdirSync(CJS, { recursive: true }))
  if (/\.d\.c?ts$/.test(name) && !typed.has(join(CJS, name))) rmSync(join(CJS, name));

function ownTypes(entry) {
  const text = readFileSync(join(CJS, `${entry}.d.ts`), 'utf8');
  const others = [...text.matchAll(/from '(\.[^']*)'/g)].filter(([, path]) => path !== './index.js');
  if (others.length > 0)
    throw new Error(`the types of ${entry} need ${others[0][1]}, which is not beside them`);
  return text;
}
