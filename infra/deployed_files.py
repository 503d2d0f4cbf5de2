"""Files of the repository that are deployed, as patterns of what is left out; no tool is needed to read them."""

_LEFTOVERS = ("__pycache__", "*.pyc", ".DS_Store", ".gitkeep", ".gitignore")
"""Files that running, editing or storing the sources leaves beside them."""

FUNCTIONS = ("*", "!functions", "!functions/**", "functions/browser_worker", *_LEFTOVERS)
"""Leaves of the repository the handlers alone, under the import path that they have in the tests."""

_NO_FUNCTION_IMPORTS = (
    "cli",
    "client",
    "local",
    "worker",
    "adapters/aws/work_lists.py",
    "domain/cuts.py",
    "domain/redaction.py",
    "domain/work_list.py",
    "ports/work_lists.py",
    "usecases/hold_claim.py",
    "usecases/keep_worker.py",
    "usecases/late_reports.py",
    "usecases/read_quarantine.py",
    "usecases/read_secrets.py",
    "usecases/share_work.py",
    "usecases/upload_artifacts.py",
    "usecases/upload_spooled.py",
    "wiring/workers.py",
)
"""Folders and modules of the package that only the worker, this machine or users' programs import; a test holds the list."""

CORE = (
    "*",
    "!python",
    "!python/wainwright",
    "!python/wainwright/**",
    *(f"/python/wainwright/{path}" for path in _NO_FUNCTION_IMPORTS),
    *_LEFTOVERS,
)
"""Leaves of ``layers/core`` the package without what no function runs."""

DEPS = ("/python/bin", *_LEFTOVERS)
"""Leaves of ``layers/deps`` what is imported; scripts name the Python that installed them, and are never run."""
