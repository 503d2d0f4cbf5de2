"""Imports a handler in a fresh process, calls it once, and prints how long each took.

Usage: python cold_start_child.py MODULE < EVENT. Modules that the runtime of Lambda has imported before any handler (``json``,
``logging``) are imported before the clock starts; nothing else is, and the interpreter's own start is not counted.
"""

import importlib
import json
import logging
import sys
import time


class Context:
    """The context that the runtime passes to a handler, as far as handlers here read it."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time of a function that has just begun."""
        return 60_000


def main() -> None:
    """Measure, and print it as JSON: seconds of import and call on the clock, and of both on the processor."""
    event = json.loads(sys.stdin.read())
    logging.getLogger().setLevel(logging.WARNING)
    print("---", file=sys.stderr, flush=True)
    began, worked, known = time.perf_counter(), time.process_time(), len(sys.modules)
    handler = importlib.import_module(sys.argv[1]).handler
    imported = time.perf_counter()
    answer = handler(event, Context())
    ended, done = time.perf_counter(), time.process_time()
    measured = {
        "import": imported - began,
        "call": ended - imported,
        "processor": done - worked,
        "modules": len(sys.modules) - known,
        "answer": answer,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
