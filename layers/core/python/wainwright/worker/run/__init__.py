"""One claim: its lease, bundle, suite, work list and outcome."""
