"""What a suite needs besides the worker's own packages: found in its bundle, installed once, kept for the next job."""
