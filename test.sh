#!/bin/sh
# Checks the code as CI does: format, lint, types, layers, and all tests.
# With arguments it only runs pytest on them: ./test.sh tests/reviews -k vote
set -eu
cd "$(dirname "$0")"
LAVKA_SYNC="--extra embedded --all-groups"
. ./deploy/venv.sh
PATH="$PWD/.venv/bin:$PATH"

if [ $# -eq 0 ]; then
    # mypy reads the settings; nothing of this machine's .env belongs into that.
    export SECRET_KEY=for-the-type-checker LAVKA_ENV_FILE=/dev/null
    ruff format --check .
    ruff check .
    mypy lavka config
    lint-imports
    # Most tests wait, for a process or a database: three at once keep two cores busy. Whole shops
    # are left to two of them (tests/conftest.py).
    set -- -n 3 --dist loadfile --no-loadscope-reorder
fi
exec pytest "$@"
