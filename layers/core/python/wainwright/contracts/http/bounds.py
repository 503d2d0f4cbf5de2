"""The bounds of requests: what is larger is refused."""

MAX_BODY_BYTES = 1_048_576
"""The largest request body."""

MAX_BUNDLE_BYTES = 100 * 1_048_576
"""The largest bundle, compressed."""

MAX_UNPACKED_BYTES = 1_024 * 1_048_576
"""The most a bundle may unpack to, so that a small archive cannot fill a worker's disk."""

MAX_BUNDLE_FILES = 20_000
"""The most files a bundle may hold."""

MAX_WAIT_SECONDS = 20
"""The longest long-poll; HTTP APIs end a request after 30 s."""
