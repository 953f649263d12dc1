"""The staff's pages for people and for what lets them in."""

from lavka.accounts.admin import access, users

__all__ = ["access", "users"]
