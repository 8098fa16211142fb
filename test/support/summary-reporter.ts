// Says at the very end which tests failed, how many ran against a real immudb, loudly which did not, and one plain line of counts.
// $FAILED_FILES names a file that gets the paths of the test files in which something failed, one a line.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { BROKER } from './broker-mark.js';
import { BROWSER } from './browser-mark.js';
import { NETNS } from './netns-mark.js';
import { POSTGRES } from './postgres-mark.js';
import { REAL } from './real-mark.js';

export default class SummaryReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const count = {
      passed: 0,
      failed: errors.length,
      skipped: 0,
      real: 0,
      realSkipped: 0,
      browserSkipped: 0,
      postgresSkipped: 0,
      brokerSkipped: 0,
      netnsSkipped: 0,
    };
    for (const module of modules) {
      count.failed += module.errors().length;
      // A hook that fails takes its tests with it: they count as skipped, the hook as a failure.
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        // They run in a run of their own.
        if (process.env['TEST_ON_LEDGER'] === 'true' && test.fullName.includes(REAL)) continue;
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else count.skipped += 1;
        if (test.fullName.includes(REAL)) count[ran(test) ? 'real' : 'realSkipped'] += 1;
        if (test.fullName.includes(BROWSER) && !ran(test)) count.browserSkipped += 1;
        if (test.fullName.includes(POSTGRES) && !ran(test)) count.postgresSkipped += 1;
        if (test.fullName.includes(BROKER) && !ran(test)) count.brokerSkipped += 1;
        if (test.fullName.includes(NETNS) && !ran(test)) count.netnsSkipped += 1;
      }
    }
    // A set-up that fails ends the run before any test: nothing else says so here.
    if (count.failed === 0 && (reason !== 'passed' || modules.length === 0)) count.failed += 1;
    const failures = [...modules.flatMap(failuresOf), ...errors.map(unhandled)];
    const files = new Set(failures.map(({ file }) => file));
    const told = process.env['FAILED_FILES'];
    if (told) writeFileSync(told, [...files].map((file) => `${file}\n`).join(''));
    const lines = failures.map(({ file, name, why }) => `!!! FAILED: ${file} > ${name}: ${why}`);
    lines.push(`tests against a real immudb: ${count.real}`);
    if (count.realSkipped > 0) {
      lines.push(`!!! REAL IMMUDB TESTS SKIPPED: ${count.realSkipped}, because ${this.#reason()} !!!`);
    }
    if (count.browserSkipped > 0) {
      lines.push(
        `!!! BROWSER TESTS SKIPPED: ${count.browserSkipped}, because no Chromium is on PATH or in $CHROMIUM !!!`,
      );
    }
    if (count.postgresSkipped > 0) {
      lines.push(
        `!!! POSTGRES TESTS SKIPPED: ${count.postgresSkipped}, because no PostgreSQL is in $POSTGRES_BIN, on PATH or in /usr/lib !!!`,
      );
    }
    if (count.brokerSkipped > 0) {
      lines.push(
        `!!! BROKER TESTS SKIPPED: ${count.brokerSkipped}, because no nats-server or redis-server is in $NATS_SERVER, $REDIS_SERVER or on PATH !!!`,
      );
    }
    // Not every machine permits them, and what they are for runs without them too.
    if (count.netnsSkipped > 0) {
      lines.push(
        `!!! NETWORK NAMESPACES SKIPPED: ${count.netnsSkipped}, because this machine does not permit them, or they were told to be skipped: where it does not, the walk of docs/scaling.md runs on one network !!!`,
      );
    }
    const missed = count.realSkipped + count.browserSkipped + count.postgresSkipped + count.brokerSkipped;
    if (missed > 0 && process.env['CI'] === 'true') {
      lines.push('!!! With CI=true that is a failure. !!!');
      count.failed += 1;
      process.exitCode = 1;
    }
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    // After the other reporters have had their say.
    process.on('exit', () => process.stdout.write(`\n${lines.join('\n')}\n`));
  }

  #reason(): string {
    const real = this.#vitest?.projects[0]?.getProvidedContext().immudb;
    const why = real && ('missing' in real ? real.missing : real.limits);
    return why ?? 'they were told to be skipped, or a hook before them failed';
  }
}

/** Thrown outside of any test: told with the file that ran then, where that is known. */
function unhandled({ message, ...error }: SerializedError): Failure {
  const path = error['VITEST_TEST_PATH'];
  const file = typeof path === 'string' ? relative(process.cwd(), path) : '(no file)';
  return { file, name: '(outside of a test)', why: message.split('\n', 1)[0] ?? '' };
}

interface Failure {
  readonly file: string;
  readonly name: string;
  /** First line of its error. */
  readonly why: string;
}

function failuresOf(module: TestModule): Failure[] {
  const file = module.relativeModuleId;
  const whys = (errors: readonly { readonly message: string }[], name: string) =>
    errors.map(({ message }) => ({ file, name, why: message.split('\n', 1)[0] ?? '' }));
  return [
    ...whys(module.errors(), '(the file)'),
    ...[...module.children.allSuites()].flatMap((suite) =>
      whys(suite.errors(), `${suite.fullName} (a hook)`),
    ),
    ...[...module.children.allTests()].flatMap((test) =>
      whys(test.result().state === 'failed' ? (test.result().errors ?? []) : [], test.fullName),
    ),
  ];
}

function ran(test: TestCase): boolean {
  const { state } = test.result();
  return state === 'passed' || state === 'failed';
}
