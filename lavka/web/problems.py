"""Every refusal leaves as an RFC 9457 problem; this is the one place that writes them."""

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

from django.core.exceptions import (
    DisallowedHost,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf

from lavka.kernel import errors
from lavka.kernel.errors import MAX_CHOICES, MAX_ERRORS, FieldError, ShopError
from lavka.web import json
from lavka.web.policies import DATA_POLICY
from lavka.web.request_id import current_request_id

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# An answer to nonsense is not longer than one to sense, whatever was sent and however much.
MAX_POINTER, MAX_DETAIL = 120, 200
# Characters of allowed values in one answer.
MAX_TOLD_CHOICES = 4000


class MethodNotAllowed(ShopError):
    """The path is right, the method is not."""

    status = 405
    code = "method_not_allowed"
    title = _("Method not allowed")
    message = _("This path does not answer that method.")


class UnknownHost(ShopError):
    """The request names a host that the shop is not; `ALLOWED_HOSTS` lists those it is."""

    status = 400
    code = "unknown_host"
    title = _("Unknown host")
    message = _("This shop does not answer to that host name.")


class HttpsRequired(ShopError):
    """The API is asked over plain HTTP, and the shop speaks HTTPS only (`LAVKA_HTTPS`)."""

    status = 403
    code = "https_required"
    title = _("HTTPS required")
    message = _("Use HTTPS. What was sent over plain HTTP may have been read: renew your tokens.")


class TooLarge(ShopError):
    """The body is over the limit."""

    status = 413
    code = "too_large"
    title = _("Body too large")
    message = _("The request body is larger than this path accepts.")


class TooComplex(errors.Malformed):
    """The body is nested too deeply or holds too many values."""

    code = "too_complex"
    title = _("Body too complex")
    message = _("The request body is nested too deeply or holds too many values.")


class QueryTooLong(ShopError):
    """The part of the address behind the question mark is over the limit."""

    status = 414
    code = "query_too_long"
    title = _("Query too long")
    message = _("The query is longer than %(limit)d characters.")


class HeadTooLarge(ShopError):
    """The address and the headers of a request are over the limit; the connection is closed."""

    status = 431
    code = "head_too_large"
    title = _("Request head too large")
    message = _("The address and the headers of the request are too long.")


class UnsupportedMediaType(ShopError):
    """The body is of a type that the path does not read."""

    status = 415
    code = "unsupported_media_type"
    title = _("Unsupported media type")
    message = _("This path does not read bodies of that type.")


class TooManyRequests(ShopError):
    """The caller's allowance is used up."""

    status = 429
    code = "too_many_requests"
    title = _("Too many requests")
    message = _("You have sent too many requests. Please wait a moment.")

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Say after how many seconds one more request is allowed."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class Broken(ShopError):
    """A bug: logged with its trace, told without it."""

    status = 500
    code = "internal"
    title = _("Internal error")
    message = _("Something broke on our side. The error was recorded.")


def response_for(error: ShopError) -> HttpResponse:
    """Render a refusal as `application/problem+json` in the active language."""
    body: dict[str, object] = {
        "type": f"/api/docs/errors/#{error.code}",
        "title": str(error.title),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": current_request_id(),
    }
    if error.details:
        body["details"] = error.details
    if error.errors:
        body["errors"] = list(_told(error.errors[:MAX_ERRORS]))
        if len(error.errors) > MAX_ERRORS:
            body["errors_truncated"] = True
    response = HttpResponse(json.dumps(body), status=error.status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    # Also where no middleware sees the answer.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = DATA_POLICY
    retry_after = getattr(error, "retry_after_seconds", None)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's hook: an anticipated exception becomes a problem, anything else stays a bug."""
    error = as_shop_error(exception)
    return None if error is None else response_for(error)


def answer_to(exception: Exception, request: HttpRequest) -> HttpResponse:
    """A problem for whatever was raised outside of a view; a bug is logged with its trace."""
    error = as_shop_error(exception)
    if error is None:
        logger.error("%s %s failed", request.method, request.path, exc_info=exception)
        got_request_exception.send(sender=None, request=request)
        error = Broken()
    return response_for(error)


# The first row that fits decides; what fits none is a bug.
_KINDS: tuple[tuple[tuple[type[Exception], ...], type[ShopError]], ...] = (
    ((drf.ParseError,), errors.Malformed),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), errors.Unauthenticated),
    ((drf.PermissionDenied, PermissionDenied), errors.Denied),
    ((drf.NotFound, Http404, ObjectDoesNotExist), errors.NotFound),
    ((drf.MethodNotAllowed,), MethodNotAllowed),
    ((drf.UnsupportedMediaType,), UnsupportedMediaType),
    ((RequestDataTooBig,), TooLarge),
    ((DisallowedHost,), UnknownHost),
    ((SuspiciousOperation,), errors.Malformed),
    ((OperationalError, InterfaceError, PoolTimeout), errors.Unavailable),
)


def as_shop_error(exception: Exception) -> ShopError | None:
    """The refusal that an exception stands for; None for a bug."""
    if isinstance(exception, ShopError):
        return exception
    if isinstance(exception, drf.ValidationError):
        # One more than is told, so that it is said that there are more.
        refused = _field_errors(exception.detail, "#", getattr(exception, "serializer", None))
        return errors.Invalid(errors=list(islice(refused, MAX_ERRORS + 1)))
    for kinds, error in _KINDS:
        if isinstance(exception, kinds):
            if error is errors.Unavailable:
                logger.error("the database does not answer: %s", exception)
            return error()
    return None


def _told(refused: Iterable[FieldError]) -> Iterator[dict[str, object]]:
    """The wire shape of field errors, with their choices as long as there is room for them."""
    left = MAX_TOLD_CHOICES
    for each in refused:
        error: dict[str, object] = {
            "pointer": _shortened(each.pointer, MAX_POINTER),
            "code": each.code,
            "detail": _shortened(each.detail, MAX_DETAIL),
        }
        length = sum(map(len, each.choices))
        if 0 < len(each.choices) <= MAX_CHOICES and length <= left:
            error["choices"] = list(each.choices)
            left -= length
        if each.choices_url:
            error["choices_url"] = each.choices_url
        yield error


def _field_errors(detail: Any, pointer: str, field: Any) -> Iterator[FieldError]:
    """Flatten DRF's nested error lists and dicts into JSON pointers (RFC 6901).

    `field` is what refused them, if that is known: it knows what it would have accepted.
    """
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            is_whole = name == "non_field_errors"
            own = pointer if is_whole else f"{pointer}/{_escaped(str(name))}"
            yield from _field_errors(inner, own, field if is_whole else _part_of(field, name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_message = isinstance(inner, drf.ErrorDetail)
            own = pointer if is_message else f"{pointer}/{index}"
            yield from _field_errors(inner, own, field if is_message else _part_of(field, index))
    else:
        code = getattr(detail, "code", "invalid")
        choices, path = _choices_of(field, code)
        yield FieldError(pointer, code, str(detail), choices, path)


def _part_of(field: Any, name: object) -> Any:
    """The field inside of a serializer, list or dict; of an unknown name the serializer itself."""
    fields = getattr(field, "fields", None)
    return getattr(field, "child", None) if fields is None else fields.get(name, field)


def _choices_of(field: Any, code: str) -> tuple[tuple[str, ...], str]:
    """What a field would have accepted, and which path lists it."""
    if code == "unknown":
        return tuple(getattr(field, "fields", ())), ""
    choices = tuple(str(each) for each in getattr(field, "choices", ()) if each != "")
    return choices, getattr(field, "choices_url", "")


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _is_for_people(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    error = as_shop_error(exception) or errors.Malformed()
    return _page(error) if _is_for_people(request) else response_for(error)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return _page(errors.Denied()) if _is_for_people(request) else response_for(errors.Denied())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return _page(errors.NotFound()) if _is_for_people(request) else response_for(errors.NotFound())


@csrf_exempt
async def unknown_path(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer for paths below /api/ that nobody knows: 404, or 308 if only a slash is missing."""
    path = f"{request.path_info}/"
    if rest.endswith("/") or resolve(path).func is unknown_path:
        return response_for(errors.NotFound())
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponse(status=308)
    response["Location"] = f"{quote(path)}?{query}" if query else quote(path)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return _page(Broken()) if _is_for_people(request) else response_for(Broken())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW; `reason` is for the log, where Django writes it."""
    return _page(errors.Denied(), gettext("This form is too old. Go back, reload it, try again."))


def _page(error: ShopError, detail: str = "") -> HttpResponse:
    """A refusal for people. Without the request, so that nothing is asked of what may be away."""
    nonce = secrets.token_urlsafe(16)
    context = {
        "title": error.title,
        "detail": detail or error.detail,
        "request_id": current_request_id(),
        "csp_nonce": nonce,
    }
    page = render_to_string("web/problem.html", context)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HttpResponse(page, status=error.status, headers=headers)
