// Types-aware lint, plus the house rule: imports run one way and never in a circle.
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Which rooms a room may import from (itself and the leaves in `src/` always), types counted. */
const rooms = {
  wire: [],
  proof: [],
  verify: ['proof'],
  worker: ['verify', 'proof'],
  sqlite: [],
  store: ['proof', 'sqlite'],
  client: ['worker', 'verify', 'store', 'sqlite', 'proof', 'wire'],
  ledger: ['proof', 'wire', 'sqlite'],
  kysely: ['index.ts'],
  testing: ['ledger', 'index.ts'],
  opentelemetry: ['index.ts'],
  cli: ['store', 'index.ts', 'audit.ts', 'testing.ts', 'postgres.ts'],
};
/** The same inside `src/client/`; its faces (files directly in it) may import all of them. */
const clientRooms = {
  watch: [],
  input: [],
  results: [],
  options: ['input', 'watch'],
  flow: ['input', 'watch'],
  net: ['options', 'flow', 'input', 'watch'],
  group: ['net', 'flow', 'input'],
  trust: ['net', 'flow', 'options', 'input', 'results', 'watch'],
  calls: ['trust', 'group', 'net', 'flow', 'options', 'input', 'results'],
  audit: ['calls', 'trust', 'net', 'flow', 'options', 'input', 'results'],
  room: ['audit', 'calls', 'trust', 'group', 'net', 'flow', 'options', 'input', 'results', 'watch'],
};
const LEAVES = [
  ...['errors.ts', 'visible.ts', 'known-names.ts', 'connection-url.ts'],
  ...['version.ts', 'package-files.ts', 'here.cts'],
];
const zonesOf = (folder, directions, always = []) =>
  Object.entries(directions).map(([room, may]) => ({
    target: `${folder}/${room}`,
    from: folder,
    except: [room, ...may, ...always].map((other) => `./${other}`),
    message: `${folder.slice(2)}/${room} may import only from: ${[room, ...may].join(', ')} (see CONTRIBUTING.md).`,
  }));
const zones = [...zonesOf('./src', rooms, LEAVES), ...zonesOf('./src/client', clientRooms)];

export default tseslint.config(
  { ignores: ['dist/', 'site/', '.cache/', 'node_modules/', 'test/immudb/', 'bench/peers/*/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 400 }],
    },
  },
  // Plain scripts that start things: no types to check.
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['src/proof/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['node:*', '@grpc/*', 'piscina', 'better-sqlite3'] }],
    },
  },
  {
    // Every argument takes room on the stack: an array that a caller or a server made long ends the process.
    files: ['src/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          // What came as arguments may go on as arguments, under that name.
          selector: ":matches(CallExpression, NewExpression) > SpreadElement[argument.name!='args']",
          message: 'No array into a call: nobody knows how long it is. Walk through it.',
        },
        {
          selector: "CallExpression[callee.property.name='apply'][arguments.length=2]",
          message: 'No array into a call: nobody knows how long it is. Walk through it.',
        },
      ],
    },
  },
  // One line per field of the schema; made by a script, and nothing but types.
  { files: ['src/wire/messages.ts'], rules: { 'max-lines': 'off' } },
  { files: ['src/cli/**', 'bench/**', 'test/**', '.ci/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': 'off',
    },
  },
);
