"""URLs of a small room of its own, on which the base view is tested."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from django.http import StreamingHttpResponse
from django.urls import path
from django.utils.decorators import async_only_middleware
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken

from config import urls
from lavka.kernel.errors import Conflict
from lavka.web import limits
from lavka.web.bodies import KIB
from lavka.web.caching import CATALOGUE
from lavka.web.pages import PageRequest
from lavka.web.parsers import UploadParser
from lavka.web.request_id import current_request_id
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import (
    BoundedDictField,
    BoundedListField,
    Input,
    StrictCharField,
    StrictIntegerField,
)
from lavka.web.views import CustomerView, StaffView, View, in_thread


class Note(Input):
    text = StrictCharField(max_length=10)
    stars = StrictIntegerField(min_value=1, max_value=5, required=False)


class Book(Input):
    title = StrictCharField(max_length=10, default="Untitled")
    notes = Note(many=True, max_length=4000)
    words = BoundedListField(child=StrictCharField(max_length=5), max_length=4000, required=False)
    marks = BoundedDictField(
        child=StrictIntegerField(min_value=0, max_value=9),
        max_entries=4000,
        max_name_length=8,
        required=False,
    )


class Taken(Conflict):
    """The probe's own refusal."""

    code = "taken"
    message = "Number %(number)d is taken."


class Notes(View):
    cache_control = CATALOGUE
    write_limit: ClassVar[None] = None

    @operation("list_notes", "List notes", parameters=PAGE_PARAMETERS)
    async def get(self, request: Any) -> Response:
        return Response({"q": request.query_params.dict()})

    @operation("write_note", "Write a note", request=Note)
    async def post(self, request: Any) -> Response:
        return Response(Note.read(request.data), status=201)

    async def put(self, request: Any) -> Response:
        raise Taken(number=7)

    async def patch(self, request: Any) -> Response:
        raise RuntimeError("the secret reason")


class Books(View):
    """Takes large bodies, and says in which thread each was read."""

    write_limit: ClassVar[None] = None

    @operation("write_book", "Write a book", request=Book, max_body_bytes=256 * KIB)
    async def post(self, request: Any) -> Response:
        Book.read(request.data)
        thread = threading.current_thread().name
        return Response({"thread": thread, "inner": await in_thread(self.name)}, status=201)

    def name(self) -> str:
        return threading.current_thread().name


class Upload(View):
    parser_classes = (UploadParser,)
    write_limit: ClassVar[None] = None

    @operation("upload", "Upload", max_body_bytes=4 * 1024 * 1024)
    async def post(self, request: Any) -> Response:
        file = request.FILES["file"]
        LEFT_OPEN.append(file)
        return Response({"name": file.name, "bytes": len(file.read())})


class Stream(View):
    """Streams three words, then waits for ever if it is asked to."""

    @operation("stream", "Stream", parameters=[OpenApiParameter("endless", bool)])
    async def get(self, request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse(self.words("endless" in request.query_params))

    async def words(self, is_endless: bool) -> AsyncIterator[bytes]:
        try:
            for word in (b"one ", b"two ", b"three"):
                yield word
            if is_endless:
                await asyncio.Future()
        finally:
            ENDED.append("stream")


class Wait(View):
    """Waits until it is cancelled."""

    async def get(self, request: Any) -> Response:
        STARTED.set()
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            ENDED.append("wait")
            raise


class Counted(View):
    """A public read that counts how often it was computed; `gated` ones wait for the gate."""

    cache_control = CATALOGUE

    @operation("count", "Count", parameters=[*PAGE_PARAMETERS, OpenApiParameter("gated", str)])
    async def get(self, request: Any) -> Response:
        COUNTED.append(request.path)
        number = len(COUNTED)
        PageRequest.of(request.query_params)
        if "gated" in request.query_params:
            await GATE.wait()
        return Response({"number": number})


class Limited(Counted):
    read_limit = limits.Limit("counted", burst=1000, per_seconds=1)


class Slow(View):
    """A write that says when it has begun, and ends when it is told, by files."""

    write_limit: ClassVar[None] = None

    async def post(self, request: Any) -> Response:
        return Response(await in_thread(self.write), status=201)

    def write(self) -> dict[str, bool]:
        folder = Path(os.environ["PROBE_FOLDER"])
        (folder / "begun").touch()
        while not (folder / "may end").exists():
            time.sleep(0.01)
        (folder / "ended").touch()
        return {"written": True}


class Thread(View):
    """What a worker thread sees."""

    write_limit: ClassVar[None] = None

    async def post(self, request: Any) -> Response:
        return Response(await in_thread(self.seen))

    def seen(self) -> dict[str, str]:
        return {"thread": threading.current_thread().name, "request_id": current_request_id()}


@async_only_middleware
def breaks(get_response: Any) -> Any:
    """A middleware with a bug."""

    async def middleware(request: Any) -> Any:
        raise RuntimeError("the secret reason")

    return middleware


LEFT_OPEN: list[Any] = []
ENDED: list[str] = []
STARTED = asyncio.Event()
COUNTED: list[str] = []
GATE = asyncio.Event()


def token() -> str:
    """An access token of nobody in particular."""
    made = AccessToken()
    made["sub"], made["sid"], made["staff"] = str(uuid4()), str(uuid4()), False
    return str(made)


class Own(CustomerView):
    async def get(self, request: Any) -> Response:
        return Response({"id": self.caller.id})

    async def put(self, request: Any) -> Response:
        return Response(request.data)


class Managed(StaffView):
    rights = {"GET": "catalog.view_product", "PUT": "catalog.change_product"}

    async def get(self, request: Any) -> Response:
        return Response({"id": self.caller.id})

    async def put(self, request: Any) -> Response:
        return Response(request.data)


class Guess(View):
    write_limit = limits.Limit("guess", burst=2, per_seconds=60, fails_open=False)

    async def post(self, request: Any) -> Response:
        return Response({"address": limits.address_of(request._request)})


class Write(View):
    write_limit = limits.Limit("probe", burst=2, per_seconds=60)

    async def post(self, request: Any) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/notes/", Notes.as_view()),
    path("api/v1/books/", Books.as_view()),
    path("api/v1/upload/", Upload.as_view()),
    path("api/v1/stream/", Stream.as_view()),
    path("api/v1/wait/", Wait.as_view()),
    path("api/v1/counted/", Counted.as_view()),
    path("api/v1/limited/", Limited.as_view()),
    path("api/v1/slow/", Slow.as_view()),
    path("api/v1/thread/", Thread.as_view()),
    path("api/v1/own/", Own.as_view()),
    path("api/v1/managed/", Managed.as_view()),
    path("api/v1/guess/", Guess.as_view()),
    path("api/v1/write/", Write.as_view()),
    *urls.urlpatterns,
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
