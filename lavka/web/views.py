"""The base of every API view: DRF's contract on the event loop, without thread hops of its own."""

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from hashlib import blake2b
from inspect import isawaitable
from typing import Any, ClassVar

import adrf.views
from django.http import HttpRequest, HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel import actors, security_log
from lavka.kernel.actors import Actor
from lavka.kernel.errors import Denied, Unauthenticated
from lavka.kernel.threads import in_thread as in_thread
from lavka.kernel.threads import run_here
from lavka.web import api_keys, caching, hot, idempotency, limits, parameters, revocation, rights
from lavka.web.answers import Ready
from lavka.web.bodies import SMALL_BYTES, Body
from lavka.web.parsers import JSONParser
from lavka.web.problems import Broken, response_for
from lavka.web.renderers import JSONRenderer, OneFormat
from lavka.web.tokens import BearerAuthentication, Caller

logger = logging.getLogger(__name__)

ACCESS_DENIED, DENIED = security_log.SecurityEvent.ACCESS_DENIED, security_log.Outcome.DENIED
WRITE = limits.Limit("write", burst=120, per_seconds=60)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# How a request is refused for what it holds.
REFUSED_INPUT = frozenset({400, 413, 415, 422})
READS = frozenset({"GET", "HEAD"})
RENDERER, NEGOTIATOR = JSONRenderer(), OneFormat()


async def _settled(answer: Any) -> Any:
    return await answer if isawaitable(answer) else answer


class View(adrf.views.APIView):
    """A public view; authentication and permissions run inline, so they neither query nor wait."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = (BearerAuthentication,)
    permission_classes: tuple[type[BasePermission], ...] = (AllowAny,)
    parser_classes: tuple[type, ...] = (JSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = OneFormat
    view_is_async = True

    read_limit: ClassVar[limits.Limit | None] = None
    write_limit: ClassVar[limits.Limit | None] = WRITE
    cache_control: ClassVar[str] = caching.PRIVATE
    # How old a public answer may be that is served from memory (lavka/web/hot.py); 0 turns it off.
    hot_seconds: ClassVar[float] = hot.SECONDS
    # Whether an answer may be stored and repeated; one that holds secrets may not.
    keeps_answers: ClassVar[bool] = True
    # The parameter, of path or query, that a guest proves themselves by, if there is one.
    guest_proof: ClassVar[str] = ""
    # What the operation at hand takes; its `@operation` says so.
    max_body_bytes = SMALL_BYTES

    async def async_dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """DRF's dispatch, after a look at the hot answers if the view is public."""
        respond = partial(self.respond, request, *args, **kwargs)
        is_public = self.hot_seconds > 0 and self.cache_control.startswith("public")
        hot_answers = hot.answers_for(request) if is_public else None
        if hot_answers is None:
            return await respond()
        return await hot_answers.answer(request, self.hot_seconds, respond)

    async def respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """From the request to the rendered answer, on the event loop."""
        self.args, self.kwargs = args, kwargs
        self.request = wrapped = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        allowance: limits.Allowance | None = None
        response: HttpResponseBase
        try:
            handler = self._handler(wrapped)
            # Who may not, or too often, is told so before anything of the request is looked at.
            await self.admit(wrapped)
            allowance = await self._take_allowance(wrapped)
            await self.authorize()
            parameters.require_known(request, handler)
            await self._take_body(wrapped, handler)
            response = await self.perform(handler, wrapped, *args, **kwargs)
        except Exception as exception:  # noqa: BLE001 - DRF's contract: re-raised if nobody knows it
            response = self.handle_exception(exception)
        if response.status_code in REFUSED_INPUT and wrapped.method not in SAFE_METHODS:
            response = await self._hidden_from_strangers(response)
        if response.status_code == 405:
            response["Allow"] = ", ".join(self.allowed_methods)
        if allowance is not None:
            for name, value in allowance.headers().items():
                response[name] = value
        return self.finalize_response(wrapped, response, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """DRF's request, with the few parts that the API needs."""
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=NEGOTIATOR,
            parser_context={"view": self, "args": args, "kwargs": kwargs},
        )

    async def admit(self, request: Request) -> None:
        """DRF's `initial`: who asks, whether they may, and whether not too often.

        Permissions and throttles may be async, as in adrf. Sync ones neither query nor wait.
        """
        request.accepted_renderer, request.accepted_media_type = RENDERER, RENDERER.media_type
        self.perform_authentication(request)
        await self.require_open_session()
        for permission in self.get_permissions():
            if not await _settled(permission.has_permission(request, self)):
                self.permission_denied(
                    request,
                    message=getattr(permission, "message", None),
                    code=getattr(permission, "code", None),
                )
        for throttle in self.get_throttles():
            if not await _settled(throttle.allow_request(request, self)):
                self.throttled(request, throttle.wait())

    async def require_open_session(self) -> None:
        """Raises Unauthenticated for an access token whose session has ended."""
        user = self.request.user
        if isinstance(user, Caller) and await revocation.is_ended(user.session_id):
            raise Unauthenticated

    async def perform(
        self, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Run the method's handler, a write in the name of who asks.

        With an `Idempotency-Key`, once (`lavka.web.idempotency`).
        """
        if request.method in SAFE_METHODS:
            return await self._handled(handler, request, *args, **kwargs)
        with actors.acting(self.actor):
            return await self._handled(handler, request, *args, **kwargs)

    async def _handled(
        self, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        respond = partial(handler, request, *args, **kwargs)
        key = self._key(request)
        if key is None:
            response: HttpResponseBase = await (
                in_thread(lambda: run_here(respond())) if self.is_body_large else respond()
            )
            return response
        claim = partial(idempotency.Claim.of, request._request, key, self.key_owner)
        return await idempotency.perform(
            self,
            await in_thread(claim) if self.is_body_large else claim(),
            respond,
            calls_out=getattr(handler, "calls_out", False),
        )

    @property
    def key_owner(self) -> str | None:
        """Whose `Idempotency-Key`s this request's belongs to; None for a guest without a secret.

        An address is no owner: people share it, so a key without an owner has to be random, too.
        """
        user = self.request.user
        if isinstance(user, Caller):
            return f"u{user.id}"
        if isinstance(user, api_keys.KeyCaller):
            return f"k{user.id}"
        named = self.guest_proof
        secret = self.kwargs.get(named) or self.request.query_params.get(named)
        return f"g{blake2b(str(secret).encode(), digest_size=16).hexdigest()}" if secret else None

    @property
    def owned_key(self) -> str:
        """The `Idempotency-Key` and whose it is, for services that keep keys; empty without one."""
        key = self.request.META.get(idempotency.HEADER, "")
        return f"{self.key_owner or 'g'} {key}" if key else ""

    def settle(self, response: HttpResponseBase) -> HttpResponseBase:
        """Render now, so that the answer can be kept."""
        if isinstance(response, Response):
            _render(response)
        return response

    def handle_exception(self, exc: Exception) -> HttpResponseBase:
        """A problem for whatever happened; what nobody anticipated is logged with its trace."""
        try:
            refused: HttpResponseBase = super().handle_exception(exc)
        except Exception:
            logger.exception("%s %s failed", self.request.method, self.request.path)
            return response_for(Broken())
        return refused

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Render at once, as JSON needs no thread, and tag what a client may keep."""
        if isinstance(response, Response):
            _render(response)
        finished: HttpResponseBase = response
        if (
            isinstance(finished, (Response, Ready))
            and finished.status_code == 200
            and request.method in {"GET", "HEAD"}
        ):
            finished.headers["Cache-Control"] = self.cache_control
            return caching.with_etag(request._request, finished)
        return finished

    async def authorize(self) -> None:
        """Check what a signature cannot tell; a hook for views that need more than the token."""

    def require_reachable(self) -> None:
        """Raise DoesNotExist for who may not see what the path names; a hook, and synchronous.

        A write finds that out by itself. This is asked only when a request is refused before, so
        that strangers are told neither what is wrong with it nor that there is anything.
        """

    @property
    def caller(self) -> Caller:
        """Who asks; raises Unauthenticated for an anonymous request."""
        user = self.request.user
        if not isinstance(user, Caller):
            raise Unauthenticated
        return user

    @property
    def actor(self) -> Actor:
        """Who makes the changes of this request, for history and events."""
        user = self.request.user
        return Actor.customer(user.id if isinstance(user, Caller) else None)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Nothing: `Allow` belongs to OPTIONS and 405, `Vary` to the middleware."""
        return {}

    async def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Name the methods; the schema says the rest."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    async def _hidden_from_strangers(self, response: HttpResponseBase) -> HttpResponseBase:
        if type(self).require_reachable is View.require_reachable:
            return response
        try:
            await in_thread(self.require_reachable)
        except Exception as exception:  # noqa: BLE001 - DRF's contract: re-raised if nobody knows it
            return self.handle_exception(exception)
        return response

    def _handler(self, request: Request) -> Any:
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            raise MethodNotAllowed(method.upper())
        return handler

    def _key(self, request: Request) -> str | None:
        """The `Idempotency-Key` of a write whose answer may be kept."""
        if request.method in SAFE_METHODS or not self.keeps_answers:
            return None
        key: str | None = request.META.get(idempotency.HEADER)
        return key

    async def _take_body(self, request: Request, handler: Any) -> None:
        """Read the body of a write; raises TooLarge above the operation's limit."""
        django_request: Any = request._request
        self.max_body_bytes = getattr(handler, "max_body_bytes", SMALL_BYTES)
        if getattr(handler, "requires_key", False) and self._key(request) is None:
            raise idempotency.KeyRequired
        # Django's own handler has read it by now.
        body: Body | None = getattr(django_request, "incoming", None)
        if body is None:
            if "HTTP_TRANSFER_ENCODING" in request.META:
                request.META.setdefault("CONTENT_LENGTH", str(self.max_body_bytes))
        elif request.method in SAFE_METHODS:
            body.ignore()
        else:
            await body.arrive(self.max_body_bytes)
            request.META["CONTENT_LENGTH"] = str(body.size)

    @property
    def is_body_large(self) -> bool:
        """Whether parsing the body of a write would keep other requests waiting."""
        length = int(self.request.META.get("CONTENT_LENGTH") or 0)
        return length > SMALL_BYTES and self.request.method not in SAFE_METHODS

    async def _take_allowance(self, request: Request) -> limits.Allowance | None:
        limit = self.read_limit if request.method in SAFE_METHODS else self.write_limit
        if limit is None:
            return None
        user = request.user
        user_id = user.id if isinstance(user, Caller) else None
        return await limits.take(limit, limits.caller_of(request._request, user_id))


def _render(response: Response) -> None:
    """What `Response.render` comes to with one renderer and no template."""
    response.content = body = RENDERER.render(response.data)
    if body:
        response.headers["Content-Type"] = RENDERER.media_type
    else:
        del response.headers["Content-Type"]


class CustomerView(View):
    """A view that needs a signed-in customer."""

    permission_classes = (IsAuthenticated,)


class IsStaff(BasePermission):
    """A staff token or an API key; what exactly they may is asked per operation."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True for a staff token, and for a key before it is looked up."""
        user = request.user
        return isinstance(user, api_keys.PresentedKey) or (
            isinstance(user, Caller) and user.is_staff
        )


class StaffView(View):
    """A view under `/manage/`: `rights` maps each method to the Django permission it needs.

    The right is read from the database at each request, so taking it away works at once. An API
    key whose scope covers the right may read, while its maker holds the right; no key writes.
    """

    authentication_classes = (api_keys.ApiKeyAuthentication, BearerAuthentication)
    permission_classes = (IsAuthenticated, IsStaff)
    rights: ClassVar[Mapping[str, str]] = {}

    async def authorize(self) -> None:
        """Raises Denied without the method's right, Unauthenticated for a key that is not valid."""
        right, user = self._right(), self.request.user
        if isinstance(user, (api_keys.PresentedKey, api_keys.KeyCaller)):
            readable = right if self.request.method in READS else None
            caller: Any = await api_keys.authorize(user.secret, readable or "")
            self.request.user = caller
        elif right is None or not await rights.is_allowed(self.caller.id, right):
            actor = Actor.staff(self.caller.id)
            security_log.record(ACCESS_DENIED, outcome=DENIED, actor=actor, right=right)
            raise Denied

    async def held(self, asked: Collection[str]) -> frozenset[str]:
        """Which of these rights who asks has: one statement; raises Unavailable."""
        user: Any = self.request.user
        if isinstance(user, api_keys.KeyCaller):
            return await rights.held(user.created_by_id, user.rights.intersection(asked))
        return await rights.held(self.caller.id, asked)

    @property
    def actor(self) -> Actor:
        """The member of the staff, or the program with a key."""
        user: Any = self.request.user
        if isinstance(user, api_keys.KeyCaller):
            return Actor.api_key(user.id)
        return Actor.staff(self.caller.id)

    def _right(self) -> str | None:
        """What the method needs: nothing to be told the methods; None for what nobody may."""
        method = self.request.method or ""
        if method == "OPTIONS":
            return ""
        return self.rights.get("GET" if method == "HEAD" else method)

    async def is_still_authorized(self) -> bool:
        """Whether who began a long answer may still have it; raises Unavailable."""
        try:
            await self.require_open_session()
            await self.authorize()
        except (Unauthenticated, Denied):
            return False
        return True
