#!/bin/sh
# Finds a Python that is new enough and hands over to scripts/bootstrap.py.
# Set PYTHON to choose one: make PYTHON=/opt/python3.12/bin/python3 test
set -eu
cd "$(dirname "$0")/.."

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$new_enough" >/dev/null 2>&1; then
        exec "$candidate" -m scripts.bootstrap
    fi
done

if [ -n "${PYTHON:-}" ]; then
    echo "error: PYTHON=$PYTHON is not a Python 3.11 or newer; name one that is, or leave PYTHON unset." >&2
elif command -v python3 >/dev/null 2>&1; then
    echo "error: $(python3 --version 2>&1) is too old; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2
else
    echo "error: no python3 found; install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2
fi
exit 1
