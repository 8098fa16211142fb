// Makes the clients ready to run: each installed or built once into .cache/, named by what it is made from.
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from '../../test/support/made-once.js';
import { outputOf, ProgramFailed } from './process.js';

const MADE_WITHIN_MS = 15 * 60_000;

export type Command = readonly [string, ...string[]];

export const folderOf = (peer: string): string => fileURLToPath(new URL(`./${peer}/`, import.meta.url));

/** Needs Go; what it builds is one program. */
export async function goProgram(): Promise<Command> {
  const from = folderOf('go');
  await requireTool('go', 'version');
  const made = await once('go', ['go.mod', 'go.sum', 'main.go', 'operations.go'], '', async (work) => {
    await make('go', ['build', '-o', join(work, 'peer'), '.'], from);
  });
  return [join(made, 'peer')];
}

/** Needs Python 3.10 or later with venv; what it makes is a virtual environment. */
export async function pythonProgram(): Promise<Command> {
  const from = folderOf('immu-py');
  const probe = 'import ensurepip, sys, venv; print(sys.version); sys.exit(sys.version_info < (3, 10))';
  const version = await requireTool('python3', '-c', probe);
  const made = await once('immu-py', ['requirements.txt'], version, async (work) => {
    await make('python3', ['-m', 'venv', work], from);
    const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
    await make(join(work, 'bin', 'python'), [...install, '-r', join(from, 'requirements.txt')], from);
  });
  return [join(made, 'bin', 'python'), join(from, 'bench.py')];
}

/** Needs npm; the program is copied beside what is installed, where it finds it. */
export async function nodeProgram(): Promise<Command> {
  const from = folderOf('immudb-node');
  await requireTool('npm', '--version');
  const sources = ['package.json', 'package-lock.json', 'bench.cjs'];
  const made = await once('immudb-node', sources, process.version, async (work) => {
    for (const file of sources) await cp(join(from, file), join(work, file));
    await make('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], work);
  });
  return [process.execPath, join(made, 'bench.cjs')];
}

/** Needs a JDK and Maven; classes and the jars they need. */
export async function javaProgram(): Promise<Command> {
  const from = folderOf('immudb4j');
  await requireTool('javac', '-version');
  await requireTool('mvn', '-v');
  const sources = ['pom.xml', 'src/main/java/Peer.java', 'src/main/java/Lane.java'];
  const made = await once('immudb4j', sources, '', async (work) => {
    for (const file of sources) {
      await mkdir(dirname(join(work, file)), { recursive: true });
      await cp(join(from, file), join(work, file));
    }
    await make('mvn', ['-q', '-B', '-Dstyle.color=never', 'package'], work);
  });
  const classpath = [join(made, 'target', 'classes'), join(made, 'target', 'dependency', '*')];
  return ['java', '-cp', classpath.join(':'), 'Peer'];
}

async function requireTool(tool: string, ...args: string[]): Promise<string> {
  try {
    return await outputOf([tool, ...args], { withinMs: 60_000 });
  } catch (error) {
    throw new Error(`${tool} is missing or not usable here`, { cause: error });
  }
}

async function make(tool: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await outputOf([tool, ...args], { cwd, withinMs: MADE_WITHIN_MS });
  } catch (error) {
    if (error instanceof ProgramFailed) throw new Error(`it cannot be installed: ${error.message}`);
    throw error;
  }
}

function once(
  peer: string,
  files: readonly string[],
  salt: string,
  build: (work: string) => Promise<void>,
): Promise<string> {
  return madeOnce(`bench-peers/${peer}-`, { folder: folderOf(peer), files, salt }, (work) => {
    console.error(`${peer}: is being made ready, once`);
    return build(work);
  });
}
