"""The bounds of requests: what is larger is refused."""

MAX_BODY_BYTES = 1_048_576
"""The largest request body."""

MAX_SCRIPT_BYTES = 262_144
"""The largest inline script."""

SCRIPT_NAME = "test_script.py"
"""The file that a single inline script becomes."""

MAX_BUNDLE_BYTES = 100 * 1_048_576
"""The largest bundle, compressed."""

MAX_UNPACKED_BYTES = 1_024 * 1_048_576
"""The most a bundle may unpack to, so that a small archive cannot fill a worker's disk."""

MAX_BUNDLE_FILES = 20_000
"""The most files a bundle may hold."""

MIN_TIMEOUT_MS = 1_000
MAX_TIMEOUT_MS = 11 * 3_600_000
"""A job's timeout ends below SQS's twelve-hour visibility."""

MAX_WAIT_SECONDS = 20
"""The longest long-poll; HTTP APIs end a request after 30 s."""

MAX_LOG_MESSAGE = 10_000
MAX_LOG_LINES = 10_000
"""Lines of one job's log; the last one says that it is full."""
