# Three stages: `builder` has the tools, `backend` runs the shop and its workers, `nginx` is in front.

FROM python:3.13-slim AS builder
ARG UV_VERSION=0.13.9
# Name extras of pyproject.toml here to add them, for example "--extra s3".
ARG EXTRAS=""
RUN pip install --no-cache-dir --root-user-action ignore "uv==${UV_VERSION}"
ENV UV_PYTHON_DOWNLOADS=never \
    UV_PYTHON=/usr/local/bin/python \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1
WORKDIR /app
# The dependencies, and a link to /app in place of a copy of the shop: this layer lasts until the lock changes.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN mkdir config lavka && touch config/__init__.py lavka/__init__.py \
 && uv sync --frozen --no-dev --no-default-groups ${EXTRAS}
COPY manage.py ./
COPY config config
COPY lavka lavka
RUN .venv/bin/python -m compileall -q config lavka \
 && DEBUG=1 STATIC_ROOT=/srv/static .venv/bin/python manage.py collectstatic --noinput -v 0


FROM python:3.13-slim AS backend
RUN groupadd --gid 10001 lavka \
 && useradd --uid 10001 --gid lavka --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lavka \
 && mkdir -p /var/lib/lavka /srv/media \
 && chown lavka:lavka /var/lib/lavka /srv/media
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LAVKA_STATE=/var/lib/lavka \
    LAVKA_BIND=0.0.0.0:8000 \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media
WORKDIR /app
COPY --from=builder /app/.venv .venv
COPY --from=builder /srv/static /srv/static
COPY --from=builder /app/config config
COPY --from=builder /app/lavka lavka
COPY manage.py pyproject.toml ./
COPY deploy deploy
USER lavka
EXPOSE 8000
ENTRYPOINT ["python", "/app/deploy/entrypoint.py"]
CMD ["gunicorn", "--config", "/app/deploy/gunicorn.conf.py", "config.asgi:application"]


FROM nginx:stable AS nginx
COPY --from=builder /srv/static /srv/static
COPY deploy/nginx /etc/lavka
EXPOSE 80
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/bin/sh", "/etc/lavka/entrypoint.sh"]
