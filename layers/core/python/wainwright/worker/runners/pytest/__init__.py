"""Runs pytest suites and plain Python scripts."""
