/**
 * A vitest reporter whose last lines are for logs and for people: what failed, a line each, and the plain total,
 * `tests: N passed, N failed, N skipped`.
 */
export default class ClosingLine {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    const failures = unhandledErrors.map((error) => lineOf('outside of every test', error));
    for (const module of modules) {
      for (const suite of [module, ...module.children.allSuites()]) {
        count.failed += suite.errors().length;
        failures.push(...suite.errors().map((error) => lineOf(nameOf(module, suite), error)));
      }
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result();
        count[state] += 1;
        if (state === 'failed') failures.push(lineOf(nameOf(module, test), errors[0]));
        if (state === 'pending') failures.push(lineOf(nameOf(module, test), { message: 'did not end' }));
      }
    }
    process.once('exit', () => {
      for (const line of failures) process.stdout.write(`failed: ${line}\n`);
      process.stdout.write(
        `tests: ${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}

const MOST = 400;

function nameOf(module, entity) {
  return entity === module ? module.relativeModuleId : `${module.relativeModuleId} > ${entity.fullName}`;
}

function lineOf(name, error) {
  return `${name}: ${String(error?.message ?? error)
    .replace(/\s+/g, ' ')
    .slice(0, MOST)}`;
}
