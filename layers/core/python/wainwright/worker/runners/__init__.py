"""Runners: each runs one kind of test suite in a child process and reports what happens as it happens."""
