#!/bin/sh
# Brings the database's tables up to date. Arguments go to `migrate`.
exec "$(dirname "$0")/deploy/manage.sh" migrate "$@"
