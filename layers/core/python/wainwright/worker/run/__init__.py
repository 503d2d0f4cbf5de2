"""One run of a job, on one lane or several: bundle, suite, work list, outcome."""
