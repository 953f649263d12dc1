"""Counting the work that a call puts into passwords."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lavka.accounts.hashers import Argon2


@contextmanager
def counted_hashes() -> Iterator[list[str]]:
    """Collect one entry per Argon2 computation, made or verified."""
    done: list[str] = []

    def counting(original: Any) -> Any:
        def run(self: Argon2, *arguments: Any, **options: Any) -> Any:
            done.append(original.__name__)
            return original(self, *arguments, **options)

        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2, "encode", counting(Argon2.encode))
        patch.setattr(Argon2, "verify", counting(Argon2.verify))
        yield done
