"""The browser worker: takes runs from the work queue, runs their suites, keeps the evidence."""
