"""Which files of the repository are deployed, as patterns of what is left out; no tool is needed to read them."""

_LEFTOVERS = ("__pycache__", "*.pyc", ".DS_Store", ".gitkeep", ".gitignore")
"""What running, editing or storing the sources leaves beside them."""

FUNCTIONS = ("*", "!functions", "!functions/**", "functions/browser_worker", *_LEFTOVERS)
"""Leaves of the repository the handlers alone, under the import path that they have in the tests."""

CORE = (
    "*",
    "!python",
    "!python/wainwright",
    "!python/wainwright/**",
    "/python/wainwright/cli",
    "/python/wainwright/local",
    "/python/wainwright/worker",
    *_LEFTOVERS,
)
"""Leaves of ``layers/core`` the package without what no function runs."""

DEPS = ("/python/bin", *_LEFTOVERS)
"""Leaves of ``layers/deps`` what is imported; scripts name the Python that installed them, and are never run."""
