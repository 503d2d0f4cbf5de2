"""Code that runs inside the test process, beside the suite: never imported by the worker."""
