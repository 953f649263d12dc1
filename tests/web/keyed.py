"""Views that leave a trace, on which `Idempotency-Key` is tested."""

import asyncio
import threading
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from django.urls import path
from rest_framework.response import Response

from lavka.kernel.errors import Conflict, Unavailable
from lavka.kernel.models import DriftReport
from lavka.web.schema import operation
from lavka.web.serializers import Input, StrictCharField
from lavka.web.views import View, in_thread
from tests.web import probe


class Killed(BaseException):
    """What a killed process looks like from inside: nothing after it runs."""


class Word(Input):
    say = StrictCharField(max_length=20)


OUTCOMES = {"conflict": Conflict, "away": Unavailable, "bug": RuntimeError, "killed": Killed}
RUNS: list[str] = []
GATE = threading.Event()


@transaction.atomic
def leave_trace(say: str) -> str:
    """One row a run; some words end badly after it was written."""
    RUNS.append(say)
    report = DriftReport.objects.create(subject=say, checked=0, drifted=0)
    if say == "wait":
        GATE.wait(10)
    if say in OUTCOMES:
        raise OUTCOMES[say]
    return str(report.pk)


class Traces(View):
    write_limit: ClassVar[None] = None

    @operation("leave_trace", "Leave a trace", request=Word)
    async def post(self, request: Any) -> Response:
        word = Word.read(request.data)
        trace = await in_thread(leave_trace, word["say"])
        return Response({"trace": trace}, status=201, headers={"Location": f"/{trace}"})

    async def delete(self, request: Any) -> HttpResponse:
        await in_thread(leave_trace, "deleted")
        return Response(status=204)


class Calls(View):
    """Waits for another system between two transactions."""

    write_limit: ClassVar[None] = None

    @operation("call_out", "Call out", request=Word, calls_out=True, requires_key=True)
    async def post(self, request: Any) -> Response:
        word = Word.read(request.data)
        await asyncio.sleep(0)
        return Response({"trace": await in_thread(leave_trace, word["say"])}, status=201)


class Forgetful(View):
    """Waits for another system and does not say so."""

    write_limit: ClassVar[None] = None

    async def post(self, request: Any) -> Response:
        await in_thread(leave_trace, "forgetful")
        await asyncio.sleep(0.01)
        return Response({})


class Secret(View):
    write_limit: ClassVar[None] = None
    keeps_answers = False

    async def post(self, request: Any) -> Response:
        return Response({"secret": await in_thread(leave_trace, "secret")})


urlpatterns = [
    path("api/v1/traces/", Traces.as_view()),
    path("api/v1/calls/", Calls.as_view()),
    path("api/v1/forgetful/", Forgetful.as_view()),
    path("api/v1/secret/", Secret.as_view()),
    *probe.urlpatterns,
]
handler400, handler403 = probe.handler400, probe.handler403
handler404, handler500 = probe.handler404, probe.handler500
