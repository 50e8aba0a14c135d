// A vitest reporter that writes what `npm test` needs for its last lines: counts, and each skipped test with its reason.
import { writeFileSync } from 'node:fs';

/** Name under which test/run.mjs hands over the path of the file to write. */
export const summaryVariable = 'BATCH_PLANNER_TEST_SUMMARY';

/**
 * Writes one JSON file `{ passed, failed: [name], skipped: [{ name, reason }] }` at the end of a run.
 * A file that cannot be loaded and an error outside any test count as failures.
 */
export default class SummaryReporter {
  /** Called by vitest when every test has ended. */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env[summaryVariable];
    if (file === undefined) throw new Error(`${summaryVariable} must name the summary file`);
    const summary = { passed: 0, failed: [], skipped: [] };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        const result = test.result();
        if (result.state === 'passed') summary.passed += 1;
        else if (result.state === 'skipped') {
          summary.skipped.push({ name, reason: result.note ?? 'skipped by its own condition' });
        } else summary.failed.push(name);
      }
      if (module.errors().length > 0) summary.failed.push(`${module.relativeModuleId} (could not be run)`);
    }
    for (const error of unhandledErrors) summary.failed.push(`outside any test: ${error.message}`);
    writeFileSync(file, JSON.stringify(summary));
  }
}
