"""The shop's own settings and one patch besides, for processes that the races start."""

import os

from config.settings import *  # noqa: F403 - whatever they are

INSTALLED_APPS = [*INSTALLED_APPS, f"tests.races.patches.{os.environ['LAVKA_RACES_PATCH']}"]  # noqa: F405
