/** A vitest reporter whose last line is the plain total, for logs and for people: `tests: N passed, N failed, N skipped`. */
export default class ClosingLine {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const suites = [module, ...module.children.allSuites()];
      count.failed += suites.flatMap((suite) => suite.errors()).length;
      for (const test of module.children.allTests()) count[test.result().state] += 1;
    }
    process.once('exit', () => {
      process.stdout.write(
        `tests: ${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}
