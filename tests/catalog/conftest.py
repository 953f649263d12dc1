"""Pictures of tests go to a directory of their own; staff have a token."""

import pytest

from tests.accounts.factories import make_staff, token_of


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def token() -> str:
    """Of staff that may do everything."""
    return token_of(make_staff())
