"""What a run leaves: recorded outcomes, redacted files, uploads, the report."""
