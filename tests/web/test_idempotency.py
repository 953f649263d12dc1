"""A write that is sent again happens once."""

import ast
import datetime
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from django.utils import timezone

from lavka.kernel import threads
from lavka.kernel.models import DriftReport
from lavka.web import idempotency
from lavka.web.models import IdempotentRequest
from tests.accounts.factories import make_customer, token_of
from tests.client import Api
from tests.racing import race
from tests.web import keyed

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize("path", ["/traces/", "/calls/"])


@pytest.fixture(autouse=True)
def _keyed(settings) -> None:
    settings.ROOT_URLCONF = "tests.web.keyed"
    keyed.RUNS.clear()
    keyed.GATE.clear()


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def send(key: str, say: str = "once", path: str = "/traces/", token: str = ""):
    return Api().post(path, {"say": say}, token=token, Idempotency_Key=key)


def problem(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@BOTH
def test_a_request_that_is_sent_again_happens_once_and_is_answered_alike(key, path):
    first, again = (send(key, path=path) for _ in range(2))

    assert (first.status_code, keyed.RUNS) == (201, ["once"])
    assert "Idempotent-Replayed" not in first
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Content-Type"] == first["Content-Type"] == "application/json"
    assert again.get("Location") == first.get("Location")
    assert DriftReport.objects.count() == 1


def test_an_answer_without_a_body_is_repeated_too(api, key):
    first, again = (api.delete("/traces/", Idempotency_Key=key) for _ in range(2))

    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert again["Idempotent-Replayed"] == "true"
    assert "Content-Type" not in again


@BOTH
def test_another_body_or_path_under_the_same_key_is_refused_and_does_nothing(key, path):
    send(key, path=path)

    other_body = send(key, "twice", path=path)
    other_path = send(key, path="/forgetful/")

    assert problem(other_body) == problem(other_path) == (422, "idempotency_key_reused")
    assert keyed.RUNS == ["once"]


def test_keys_of_different_callers_do_not_meet(key):
    tokens = [token_of(make_customer()), token_of(make_customer()), ""]

    answers = [send(key, token=token) for token in tokens]

    assert len({answer.content for answer in answers}) == 3
    assert keyed.RUNS == ["once"] * 3


@BOTH
def test_a_refusal_by_the_shop_is_repeated_and_left_nothing(key, path):
    first, again = (send(key, "conflict", path) for _ in range(2))

    assert problem(first) == problem(again) == (409, "conflict")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["request_id"] == first.json()["request_id"]
    assert keyed.RUNS == ["conflict"]
    assert not DriftReport.objects.exists()


@BOTH
@pytest.mark.parametrize(("say", "status"), [("bug", 500), ("away", 503), ("x" * 21, 422)])
def test_what_broke_or_was_not_understood_may_be_sent_again(key, path, say, status):
    first = send(key, say, path)
    mended = send(key, "mended", path)

    assert (first.status_code, mended.status_code) == (status, 201)
    assert "Idempotent-Replayed" not in mended
    assert [report.subject for report in DriftReport.objects.all()] == ["mended"]


@pytest.mark.parametrize("key", ["", " ", "a b", "clé", "x" * 256])
def test_a_malformed_key_is_refused_and_nothing_is_done(api, key):
    answer = api.client.post(
        "/api/v1/traces/",
        {"say": "once"},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )

    assert problem(answer) == (400, "idempotency_key_malformed")
    assert keyed.RUNS == []


def test_an_operation_may_require_a_key(api):
    answer = api.post("/calls/", {"say": "once"})

    assert problem(answer) == (400, "idempotency_key_required")
    assert keyed.RUNS == []


def test_answers_with_secrets_are_not_kept(api, key):
    first, again = (api.post("/secret/", {}, Idempotency_Key=key) for _ in range(2))

    assert first.json() != again.json()
    assert not IdempotentRequest.objects.exists()


@BOTH
def test_an_answer_outlasts_a_change_of_the_secret_and_not_its_loss(key, path, settings):
    first = send(key, path=path)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret of the shop, of fifty characters...."
    again = send(key, path=path)
    settings.SECRET_KEY_FALLBACKS = []
    lost = send(key, path=path)

    assert (again.status_code, again.json()) == (201, first.json())
    assert problem(lost) == (503, "unavailable")
    assert keyed.RUNS == ["once"]


def test_what_the_release_before_kept_is_still_told(key):
    first = send(key)
    IdempotentRequest.objects.update(body=first.content)

    assert send(key).json() == first.json()


def test_a_request_without_a_key_costs_no_hop_and_no_query(
    api, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(threads, "_threads", None)

    with django_assert_num_queries(0):
        answer = api.post("/notes/", {"text": "a"})

    assert answer.status_code == 201


def test_a_key_costs_one_hop(key, monkeypatch):
    hops, lent = [], threads._threads()

    class Counting:
        async def run(self, call):
            hops.append(call)
            return await lent.run(call)

    monkeypatch.setattr(threads, "_threads", Counting)

    assert send(key).status_code == 201
    assert len(hops) == 1


def test_a_handler_that_waits_for_others_without_saying_so_is_a_bug_that_leaves_nothing(api, key):
    answer = api.post("/forgetful/", {}, Idempotency_Key=key)

    assert problem(answer) == (500, "internal")
    assert not DriftReport.objects.exists()
    assert not IdempotentRequest.objects.exists()


def test_a_process_that_is_killed_in_its_transaction_leaves_nothing(key):
    with pytest.raises(keyed.Killed):
        send(key, "killed")

    assert not DriftReport.objects.exists()
    assert send(key, "again").status_code == 201


def test_a_key_whose_process_was_killed_may_be_used_again_after_its_lease(key, monkeypatch):
    with pytest.raises(keyed.Killed):
        send(key, "killed", "/calls/")
    monkeypatch.delitem(keyed.OUTCOMES, "killed")

    soon = send(key, "killed", "/calls/")
    IdempotentRequest.objects.update(leased_until=timezone.now())
    later = send(key, "killed", "/calls/")

    assert problem(soon) == (409, "request_in_progress")
    assert soon["Retry-After"] == "1"
    assert later.status_code == 201
    assert keyed.RUNS == ["killed", "killed"]


def test_who_lost_the_lease_does_not_overwrite_the_answer_of_who_took_it():
    now = timezone.now()
    claim = idempotency.Claim(id=uuid.uuid4(), fingerprint="f")
    late = now + idempotency.LEASE
    assert idempotency._claim(claim, now) is None
    assert idempotency._claim(claim, late) is None

    for status, began in ((202, now), (201, late)):
        response = keyed.HttpResponse(str(status), status=status)
        idempotency._keep(claim, response, began + idempotency.LEASE)

    assert IdempotentRequest.objects.get().status == 201


def test_answers_are_forgotten_after_two_days(key):
    send(key)
    now = timezone.now()

    kept = idempotency.purge(at=now + datetime.timedelta(hours=47))
    forgotten = idempotency.purge(at=now + datetime.timedelta(hours=49))

    assert (kept, forgotten) == (0, 1)
    assert "Idempotent-Replayed" not in send(key)


@BOTH
@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_requests_with_one_key_happen_once(key, path):
    outcomes = Counter(race(lambda: send(key, path=path).status_code, times=20))

    assert keyed.RUNS == ["once"]
    assert DriftReport.objects.count() == 1
    assert outcomes.keys() <= {201, 409}
    assert outcomes.total() == 20
    assert send(key, path=path)["Idempotent-Replayed"] == "true"


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_twin_is_told_at_once_that_the_first_still_runs(key, path):
    turns = iter(range(2))

    def act():
        if next(turns) == 0:
            return send(key, "wait", path).status_code
        while not keyed.RUNS:
            pass
        answer = send(key, "wait", path)
        keyed.GATE.set()
        return problem(answer)

    outcomes = race(act, times=2)

    assert set(outcomes) == {201, (409, "request_in_progress")}


@pytest.mark.django_db(transaction=True)
def test_control_without_a_key_each_request_happens():
    """If this fails, `race` overlaps nothing and the tests above prove nothing."""
    race(lambda: Api().post("/traces/", {"say": "once"}).status_code, times=20)

    assert DriftReport.objects.count() == 20


WRITES = {"post", "put", "patch", "delete"}


def waits_of(node: ast.AST) -> Iterator[str]:
    """What an async function waits for, by the last name of the call."""
    for each in ast.walk(node):
        if isinstance(each, ast.Await):
            call = each.value
            function = call.func if isinstance(call, ast.Call) else call
            yield (
                function.attr
                if isinstance(function, ast.Attribute)
                else getattr(function, "id", "?")
            )


def silent_callers(path: Path) -> Iterator[str]:
    """Handlers of writes that wait for more than threads and do not say `calls_out`."""
    source = path.read_text()
    functions = [
        each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.AsyncFunctionDef)
    ]
    waits = {each.name: set(waits_of(each)) for each in functions if each.name not in WRITES}
    harmless = {"in_thread"}
    while found := {name for name, own in waits.items() if own <= harmless} - harmless:
        harmless |= found
    for each in functions:
        says = "calls_out=True" in "".join(ast.unparse(one) for one in each.decorator_list)
        if each.name in WRITES and not says and not set(waits_of(each)) <= harmless:
            yield f"{path}:{each.lineno}"


def test_every_handler_that_waits_for_other_systems_says_so():
    rooms = sorted((project.BASE_DIR / "lavka").glob("*/api/**/*.py"))
    # Their answers hold secrets and are not kept.
    asked = [path for path in rooms if path.name != "auth.py"]

    assert [place for path in asked for place in silent_callers(path)] == []
    assert len(asked) > 20
