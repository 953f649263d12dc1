#!/bin/sh
# Starts the shop with everything it needs; Ctrl-C stops it. Options: ./run.sh --help
set -eu
cd "$(dirname "$0")"
LAVKA_SYNC="--extra embedded --no-default-groups"
. ./deploy/venv.sh
exec .venv/bin/lavka up "$@"
