#!/bin/sh
# Pins every dependency anew, with hashes, for all platforms and every supported Python. Run by `make lock`.
# lambda.txt and worker.txt are bound to dev.txt, so that what is deployed is what was tested.
set -eu
cd "$(dirname "$0")/.."

pin() {
    .venv/bin/python -m scripts.uv pip compile --no-config --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@"
}

pin --upgrade pyproject.toml --extra dev --output-file requirements/dev.txt
pin --upgrade requirements/bootstrap.in --constraints requirements/dev.txt --output-file requirements/bootstrap.txt
pin --upgrade requirements/lambda.in --constraints requirements/dev.txt --output-file requirements/lambda.txt
pin --upgrade pyproject.toml --extra worker --constraints requirements/dev.txt --output-file requirements/worker.txt
echo "==> requirements/*.txt are pinned anew; make test installs and checks them" >&2
