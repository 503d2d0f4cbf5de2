"""Evidence of a run: recorded outcomes, redacted files, uploads, the report."""
