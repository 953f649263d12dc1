"""The staff's pages for people and for what lets them in."""

from lavka.accounts.admin import access, sign_in, users

__all__ = ["access", "sign_in", "users"]
