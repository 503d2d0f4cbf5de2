import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';

/** Prints the slowest test at the end of a run: a reporter of the suite's own. */
export default class SlowestReporter implements Reporter {
  private slowest?: { title: string; duration: number };

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.duration > (this.slowest?.duration ?? -1))
      this.slowest = { title: test.titlePath().filter(Boolean).join(' > '), duration: result.duration };
  }

  onEnd(result: FullResult): void {
    if (this.slowest) console.log(`The run ${result.status}; the slowest test was ${this.slowest.title}`);
  }
}
