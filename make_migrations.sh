#!/bin/sh
# Writes the migrations that changed models need. Arguments go to `makemigrations`.
exec "$(dirname "$0")/deploy/manage.sh" makemigrations "$@"
