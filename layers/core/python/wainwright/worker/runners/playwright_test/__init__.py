"""Runs Playwright Test suites."""
