#!/bin/sh
# Renders nginx's configuration, keeps the list of backends current, and becomes nginx.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
export LISTEN="${LISTEN:-80}"
export NGINX_USER="${NGINX_USER:-nginx}"
export RUN_DIR="${RUN_DIR:-/run/lavka-nginx}"
export STATIC_ROOT="${STATIC_ROOT:-/srv/static}"
export MEDIA_ROOT="${MEDIA_ROOT:-/srv/media}"
# The one network whose X-Forwarded-For and X-Forwarded-Proto count: that of a proxy in front of this one.
export TRUSTED_PROXY="${TRUSTED_PROXY:-127.0.0.1/32}"
# How long an anonymous read of the catalogue may be served from nginx.
export MICRO_CACHE_SECONDS="${MICRO_CACHE_SECONDS:-1}"
# "off" lifts the limits per address, as it lifts those of the shop.
export THROTTLES="${LAVKA_THROTTLES:-on}"
# How many requests of one address nginx passes on, beside a burst.
export PAGES_RATE="${PAGES_RATE:-500r/s}"
export WRITES_RATE="${WRITES_RATE:-50r/s}"
export AUTH_RATE="${AUTH_RATE:-5r/s}"
# How many requests of one address it works on at once.
export MAX_CONNECTIONS="${MAX_CONNECTIONS:-200}"
# Whether the shop speaks HTTPS only.
export IS_HTTPS="${LAVKA_HTTPS:-0}"
backend_host=${BACKEND_HOST:-backend}
backend_port=${BACKEND_PORT:-8000}

names='$LISTEN $NGINX_USER $RUN_DIR $STATIC_ROOT $MEDIA_ROOT $TRUSTED_PROXY $MICRO_CACHE_SECONDS $THROTTLES $PAGES_RATE $WRITES_RATE $AUTH_RATE $MAX_CONNECTIONS $IS_HTTPS'
mkdir -p "$RUN_DIR"

# nginx looks a name up once, when it starts. This looks again, so that a backend that was
# recreated at another address, or a second one, is found.
backends() {
  getent ahostsv4 "$backend_host" | awk -v port="$backend_port" '{ print "server " $1 ":" port ";" }' | sort -u
}
find_backends() {
  found=$(backends || true)
  # Nobody answers to the name: keep those that were known, at first none.
  [ -n "$found" ] || { [ -e "$RUN_DIR/backends.conf" ] && return 1 || found="server 127.0.0.1:1;"; }
  [ "$found" != "$(cat "$RUN_DIR/backends.conf" 2>/dev/null)" ] || return 1
  echo "$found" >"$RUN_DIR/backends.conf"
}

rm -f "$RUN_DIR/backends.conf"
find_backends
cp "$here"/*.conf "$RUN_DIR"
envsubst '$MICRO_CACHE_SECONDS' <"$here/catalogue.conf" >"$RUN_DIR/catalogue.conf"
envsubst "$names" <"$here/nginx.conf.template" >"$RUN_DIR/nginx.conf"
nginx -t -q -c "$RUN_DIR/nginx.conf"
(while sleep "${BACKEND_LOOKUP_SECONDS:-2}" && kill -0 $$; do
  if find_backends; then
    nginx -c "$RUN_DIR/nginx.conf" -s reload || true
  fi
done) &
exec nginx -c "$RUN_DIR/nginx.conf" -g 'daemon off;'
