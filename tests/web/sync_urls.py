"""URLs that do not belong on the fast lane."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle

from lavka.web.views import View


def sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Throttled(View):
    throttle_classes = (AnonRateThrottle,)

    async def get(self, request: Any) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/sync/", sync),
    path("api/v1/throttled/", Throttled.as_view()),
    path("elsewhere/", sync),
]
