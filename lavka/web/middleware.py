"""What every request passes: its id, its language, its headers, its line in the log."""

import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import async_only_middleware
from django.utils.translation.trans_real import (
    LANGUAGE_CODE_MAX_LENGTH,
    get_supported_language_variant,
    parse_accept_lang_header,
)

from lavka.kernel import security_log
from lavka.kernel.actors import Actor, acting
from lavka.web import metrics, request_id
from lavka.web.bodies import SMALL_BYTES
from lavka.web.logging import log_access
from lavka.web.policies import ADMIN_POLICY, DATA_POLICY, PAGE_POLICY, PERMISSIONS
from lavka.web.problems import HttpsRequired, answer_to

Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# How many of the shop's names are remembered: with ALLOWED_HOSTS "*" a client may make up any.
MAX_NAMES, MAX_NAME = 100, 300
# One character more than Django reads of an `Accept-Language`; choices are remembered by it.
MAX_ACCEPTED = LANGUAGE_CODE_MAX_LENGTH + 1


@async_only_middleware
def request_context(get_response: Handler) -> Handler:
    """Give the request an id and a language, and tell the log and the metrics its outcome."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        own_id = request_id.begin(request.META.get("HTTP_X_REQUEST_ID", ""))
        security_log.begin_request(request.META.get("REMOTE_ADDR") or "local", own_id)
        language = chosen_language(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:MAX_ACCEPTED])
        if language != translation.get_language():
            translation.activate(language)
        response = await get_response(request)
        response.headers[request_id.HEADER] = own_id
        response.headers.setdefault("Content-Language", language)
        seconds = time.perf_counter() - started
        log_access(request, response.status_code, seconds)
        metrics.observe(request, response.status_code, seconds)
        return response

    return middleware


@lru_cache(maxsize=512)
def chosen_language(accepted: str) -> str:
    """The shop's language for an `Accept-Language`; the shop's first one when none fits."""
    for code, _ in parse_accept_lang_header(accepted):
        if code == "*":
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return get_supported_language_variant(settings.LANGUAGE_CODE)


@async_only_middleware
def guard(get_response: Handler) -> Handler:
    """Refuse a host that is not the shop's and plain HTTP, and set the headers of safety.

    By Django's own middleware and settings; its hooks neither query nor wait, so they are called
    in place, where Django would call them in a thread. Where Django would redirect to HTTPS, the
    request is refused: it has sent its secrets in the clear, and its author is to notice.
    """
    security: Any = SecurityMiddleware(get_response)
    framing: Any = XFrameOptionsMiddleware(get_response)
    # Names that were looked at and are the shop's.
    own: set[str] = set()

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            named = request.META.get("HTTP_HOST", "")
            if named not in own or settings.USE_X_FORWARDED_HOST:
                request.get_host()
                if 0 < len(named) <= MAX_NAME and len(own) < MAX_NAMES:
                    own.add(named)
            if security.process_request(request) is not None:
                raise HttpsRequired  # noqa: TRY301 - refused as a foreign host is
            response = await get_response(request)
        except (DisallowedHost, HttpsRequired) as refused:
            response = answer_to(refused, request)
        response.headers.setdefault("Content-Security-Policy", DATA_POLICY)
        framed = framing.process_response(request, response)
        finished: HttpResponseBase = security.process_response(request, framed)
        return finished

    return middleware


@async_only_middleware
def small_forms(get_response: Handler) -> Handler:
    """Let nobody but staff send a large form: it is parsed before anything else looks at it.

    For behind the session and before Django's check of forged requests, which parses the form.
    The views of the API bound what they read themselves, whatever handler serves them.
    """

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_small = length.isdecimal() and int(length[:20]) <= SMALL_BYTES
        is_large = "HTTP_TRANSFER_ENCODING" in request.META or not is_small
        if is_large and not request.path.startswith("/api/"):
            user: Any = await request.auser()
            if not (user.is_active and user.is_staff):
                raise RequestDataTooBig
        return await get_response(request)

    return middleware


@async_only_middleware
def hidden_origin(get_response: Handler) -> Handler:
    """Let forms work on pages that tell nobody their address (`Referrer-Policy: no-referrer`).

    Browsers send `Origin: null` with such a form, which Django's check of forged requests refuses.
    `Sec-Fetch-Site`, which no page can set, says where the form comes from all the same. Browsers
    leave it out over plain HTTP; there the token of the form is all that is checked, as Django
    does it without an origin.
    """

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_ORIGIN") == "null":
            site = request.META.get("HTTP_SEC_FETCH_SITE")
            if site == "same-origin":
                request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
            elif site is None and not request.is_secure():
                del request.META["HTTP_ORIGIN"]
        return await get_response(request)

    return middleware


@async_only_middleware
def staff_acts(get_response: Handler) -> Handler:
    """Have the events of what is changed in the admin name the member of the staff who is there."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path.startswith(reverse("admin:index")):
            return await get_response(request)
        user = await request.auser()
        with acting(Actor.staff(user.pk)):
            return await get_response(request)

    return middleware


@async_only_middleware
def page_headers(get_response: Handler) -> Handler:
    """Tell the browser what a page may do, unless the page has said so itself."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        is_admin = request.path.startswith(reverse("admin:index"))
        policy = ADMIN_POLICY if is_admin else PAGE_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


@async_only_middleware
def api_headers(get_response: Handler) -> Handler:
    """Headers of API answers: not stored unless a view allows it, and what they depend on."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        if request.path.startswith("/api/v1/"):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Vary", "Accept-Language, Authorization")
        return response

    return middleware
