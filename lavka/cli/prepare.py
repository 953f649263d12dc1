"""Runs between the servers and the shop: migrate, collect static files, stock an empty shop.

A process of its own (`python -m lavka.cli.prepare`), so that `lavka up` stays small.
"""

import hashlib
import io
import sys
from pathlib import Path

import click
import django
from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    """Do what is missing, and nothing when nothing is."""
    try:
        django.setup()
        migrate()
        collect_static()
        load_demo()
    except ImproperlyConfigured as refusal:
        sys.exit(str(refusal))


def migrate() -> None:
    """Migrate when a migration is missing."""
    from django.core.management import call_command
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        click.echo("Migrating the database …")
        call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect and compress static files when one of them has changed."""
    from django.core.management import call_command

    from lavka.cli.state import here

    stamp, found = here().static_stamp, _fingerprint_of_static_files()
    if not stamp.is_file() or stamp.read_text() != found:
        click.echo("Collecting static files …")
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(found)


def _fingerprint_of_static_files() -> str:
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256(str(settings.STATIC_ROOT).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda each: str(each[0])):
            file = Path(storage.path(name)).stat()
            digest.update(f"{name} {file.st_size} {file.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def load_demo() -> None:
    """Stock a shop without a product and a user, or go on where a killed start stopped."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from lavka.catalog.models import Product
    from lavka.cli.state import here

    state = here()
    is_empty = not (Product.objects.exists() or get_user_model().objects.exists())
    if is_empty or state.loading_demo.exists():
        click.echo("Loading the demo shop …")
        state.loading_demo.touch()
        call_command("demo", logins=state.logins, stdout=io.StringIO())
        state.loading_demo.unlink()


if __name__ == "__main__":
    main()
