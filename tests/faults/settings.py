"""The shop's own settings, and a clock that the tests may set back (tests/faults/clock.py)."""

from config.settings import *  # noqa: F403 - whatever they are

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.clock.SetBack"]  # noqa: F405
