"""Mail through the API of a provider."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
from requests import RequestException

from lavka.notifications import tasks
from lavka.notifications.models import SentMail
from tests.accounts.factories import make_customer
from tests.imports.web_server import Web, web_server

pytestmark = pytest.mark.django_db

ACCEPTED = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "ada@example.com"}
SHOW = "from config import settings; import json; print(json.dumps(settings.MAILERS))"


@pytest.fixture
def postmark(settings) -> Iterator[Web]:
    """A server that speaks Postmark's API, and the shop set up for it as `EMAIL_URL` says."""
    with web_server() as web:
        web.show("/email", json.dumps(ACCEPTED).encode(), Content_Type="application/json")
        server = web.url("/", "127.0.0.1")
        url = f"anymail://postmark?server_token=secret&api_url={server}"
        settings.MAILERS = mailers(url)
        yield web


def mailers(url: str) -> dict:
    """What the settings make of an `EMAIL_URL`."""
    environment = os.environ | {"EMAIL_URL": url}
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def send() -> None:
    user = make_customer(email="ada@example.com")
    tasks.send_password_changed.run(event_id=str(uuid4()), user_id=str(user.pk))


def test_a_provider_named_in_email_url_gets_the_mail(postmark):
    send()

    ((headers, content),) = postmark.posted
    message = json.loads(content)
    assert headers["X-Postmark-Server-Token"] == "secret"
    assert (message["To"], message["Subject"]) == ("ada@example.com", "Your password was changed")
    assert "<html" in message["HtmlBody"]
    assert SentMail.objects.get().sent_at is not None


def test_a_provider_that_is_down_is_asked_again(postmark):
    postmark.show("/email", b"", 503)

    with pytest.raises(RequestException):
        tasks.flows.mail_user(
            kind=SentMail.Kind.PASSWORD_CHANGED,
            event_id=uuid4(),
            user_id=make_customer().pk,
        )

    waiting = SentMail.objects.get()
    assert (waiting.claimed_at, waiting.sent_at) == (None, None)
    assert issubclass(RequestException, OSError)


def test_smtp_and_files_stay_as_they_were():
    smtp = mailers("smtp+tls://user:pass@mail.example.com:587")["default"]

    assert smtp["OPTIONS"] | {"timeout": 0} == {
        "host": "mail.example.com",
        "port": 587,
        "username": "user",
        "password": "pass",
        "use_tls": True,
        "use_ssl": False,
        "timeout": 0,
    }
    assert mailers("files")["default"]["BACKEND"].endswith("filebased.EmailBackend")
