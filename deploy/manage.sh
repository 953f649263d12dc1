#!/bin/sh
# Runs a management command on this checkout: in the containers when they are up, else in .venv.
# COMPOSE names the compose command, for example COMPOSE="podman-compose".
set -eu
cd "$(dirname "$0")/.."

compose() {
  if [ -n "${COMPOSE:-}" ]; then echo "$COMPOSE"
  elif docker compose version >/dev/null 2>&1; then echo "docker compose"
  elif command -v podman-compose >/dev/null 2>&1; then echo "podman-compose"
  fi
}

# The files it writes belong to whoever owns the checkout; an engine without root maps that person to 0.
owner() {
  if { docker info --format '{{.SecurityOptions}}' || podman info --format 'rootless={{.Host.Security.Rootless}}'; } 2>/dev/null |
    grep -Eq 'rootless(=true|[^=]|$)'; then echo 0:0
  else stat -c %u:%g . 2>/dev/null || stat -f %u:%g .
  fi
}

compose=$(compose)
if [ -n "$compose" ] && $compose exec -T backend true >/dev/null 2>&1; then
  # The checkout's own code, not the image's: it may be newer.
  exec $compose run --rm --no-deps $([ -t 0 ] || echo -T) -u "$(owner)" \
    -v "$PWD/lavka:/app/lavka" -v "$PWD/config:/app/config:ro" backend python manage.py "$@"
fi
if [ -x .venv/bin/python ]; then
  exec .venv/bin/python manage.py "$@"
fi
echo "Neither the containers (docker compose up -d --build) nor .venv (./run.sh) are here: start one of them." >&2
exit 1
