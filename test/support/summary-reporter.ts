// Says at the very end how many tests ran against a real immudb, loudly which did not, and one plain line of counts.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const REAL = '[real immudb]';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, real: 0, realSkipped: 0 };
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else count.skipped += 1;
        if (isReal(test)) count[state === 'skipped' ? 'realSkipped' : 'real'] += 1;
      }
    }
    const lines = [`tests against a real immudb: ${count.real}`];
    if (count.realSkipped > 0) {
      lines.push(
        `!!! REAL IMMUDB TESTS SKIPPED: ${count.realSkipped}. Set IMMUDB_ADDRESS, or put immudb or Go on PATH. !!!`,
      );
      if (process.env['CI'] === 'true') {
        lines.push('!!! With CI=true that is a failure. !!!');
        count.failed += 1;
        process.exitCode = 1;
      }
    }
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    // After the other reporters have had their say.
    process.on('exit', () => process.stdout.write(`\n${lines.join('\n')}\n`));
  }
}

function isReal(test: TestCase): boolean {
  return test.fullName.includes(REAL);
}
