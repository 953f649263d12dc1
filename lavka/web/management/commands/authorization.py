"""`lavka manage authorization`: writes the table of operations and roles."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from drf_spectacular.generators import SchemaGenerator

from lavka.web import authorization


class Command(BaseCommand):
    """Writes a file of the repository."""

    help = "Writes docs/reference/authorization.md: who may call each operation."

    # They ask the database, which the table does not need.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("--file", type=Path, default=Path("docs/reference/authorization.md"))

    def handle(self, *_: Any, file: Path, **_options: Any) -> None:
        """Write it anew."""
        generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call] # it has no types
        file.write_text(authorization.page(generator.get_schema(public=True)))
