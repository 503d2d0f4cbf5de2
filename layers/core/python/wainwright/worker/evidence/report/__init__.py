"""The report of a job: Playwright's own HTML report, JUnit XML and results.json, all built from stored test results."""
