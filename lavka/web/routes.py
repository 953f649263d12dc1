"""Which view a path belongs to, without trying every route of the API one after the other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache

from django.conf import settings
from django.urls import (
    Resolver404,
    ResolverMatch,
    URLPattern,
    URLResolver,
    get_resolver,
    path,
)
from django.urls.resolvers import RegexPattern, RoutePattern

PREFIX = "/api/v1/"

_fixed: dict[tuple[str, str], ResolverMatch] = {}


def resolve(asked: str) -> ResolverMatch:
    """What Django resolves the path to; one without parameters is looked up once.

    Of the API's routes only those are tried that begin with the same word, in their order. No
    route before them may begin with a parameter.
    Raises: Resolver404.
    """
    urlconf = settings.ROOT_URLCONF
    match = _fixed.get((urlconf, asked))
    if match is None:
        match = _look_up(urlconf, asked)
        if not match.kwargs and not match.args:
            _fixed[urlconf, asked] = match
    return match


def _look_up(urlconf: str, asked: str) -> ResolverMatch:
    shelf = _shelves(urlconf).get(_first_word(asked))
    if shelf is not None:
        with suppress(Resolver404):
            return shelf.resolve(asked)
    return get_resolver(urlconf).resolve(asked)


@lru_cache
def _shelves(urlconf: str) -> dict[str, URLResolver]:
    """The API's routes by their first word."""
    routes: dict[str, list[URLPattern]] = defaultdict(list)
    for route, pattern in _flat(get_resolver(urlconf).url_patterns):
        word = _first_word(f"/{route}")
        if word and "<" not in word:
            routes[word].append(path(route, pattern.callback, pattern.default_args, pattern.name))
    return {word: URLResolver(RegexPattern(r"^/"), shelf) for word, shelf in routes.items()}


def _flat(
    patterns: Iterable[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Each route from the root on; what is in a namespace is none of the API's."""
    for each in patterns:
        if not isinstance(each.pattern, RoutePattern):
            continue
        route = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each
        elif each.namespace is None and not each.default_kwargs:
            yield from _flat(each.url_patterns, route)


def _first_word(asked: str) -> str:
    """The word behind the API's prefix, empty for other paths."""
    return asked.removeprefix(PREFIX).partition("/")[0]
