"""An access token ends with its session, and so do the sessions of the admin."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import login
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.models import Session, User
from lavka.accounts.rules import Source
from lavka.accounts.services import profile, sessions
from lavka.accounts.tasks import purge_sessions
from lavka.web import revocation
from lavka.web.models import EndedSession
from tests.accounts.factories import PASSWORD, make_customer, make_staff, sign_in
from tests.client import Api
from tests.racing import race_each

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sessions_are_asked")]

NEW = "a much better secret"
ADDRESS = {
    "name": "Ada",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}

Pair = dict[str, str]


def statuses(api: Api, access: str) -> list[int]:
    """A read, a write, and one that needs no token but was given one."""
    return [
        api.get("/me/", token=access).status_code,
        api.post("/me/addresses/", ADDRESS, token=access).status_code,
        api.get("/products/", token=access).status_code,
    ]


def signed_out(api: Api, user: User, pair: Pair) -> None:
    assert api.post("/auth/logout/", {"refresh": pair["refresh"]}).status_code == 204


def signed_out_everywhere(api: Api, user: User, pair: Pair) -> None:
    assert api.post("/auth/logout-all/", token=pair["access"]).status_code == 204


def ended_from_another_device(api: Api, user: User, pair: Pair) -> None:
    here = sign_in(api, user)["access"]
    there = tokens.read_refresh(pair["refresh"]).session_id
    assert api.delete(f"/me/sessions/{there}/", token=here).status_code == 204


def password_changed_on_another_device(api: Api, user: User, pair: Pair) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = api.post("/auth/password/change/", body, token=sign_in(api, user)["access"])
    assert answer.status_code == 204


def password_reset(api: Api, user: User, pair: Pair) -> None:
    body = {"token": tokens.reset_of(user), "password": NEW}
    assert api.post("/auth/password/reset/", body).status_code == 204


def refresh_token_replayed(api: Api, user: User, pair: Pair) -> None:
    for _ in range(2):
        api.post("/auth/token/refresh/", {"refresh": pair["refresh"]})


def account_closed(api: Api, user: User, pair: Pair) -> None:
    profile.close_account(
        user_id=user.pk, current_password=PASSWORD, source=Source("x"), at=timezone.now()
    )


def deactivated(api: Api, user: User, pair: Pair) -> None:
    user.is_active = False
    user.save()


def deactivated_in_bulk(api: Api, user: User, pair: Pair) -> None:
    User.objects.filter(email__startswith="ada").update(is_active=False)


def deactivated_by_sql(api: Api, user: User, pair: Pair) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET is_active = false WHERE id = %s", [user.pk])


def made_staff(api: Api, user: User, pair: Pair) -> None:
    user.is_staff = True
    user.save()


def made_superuser_in_bulk(api: Api, user: User, pair: Pair) -> None:
    User.objects.filter(email__startswith="ada").update(is_superuser=True)


def password_set_in_a_shell(api: Api, user: User, pair: Pair) -> None:
    user.set_password(NEW)
    user.save(update_fields=["password"])


def deleted(api: Api, user: User, pair: Pair) -> None:
    user.delete()


def session_deleted(api: Api, user: User, pair: Pair) -> None:
    Session.objects.all().delete()


def in_the_admin(path: str, **fields: str) -> Callable[[Api, User, Pair], None]:
    def post(api: Api, user: User, pair: Pair) -> None:
        browser = Client()
        browser.force_login(make_staff())
        answer = browser.post(path.format(user=user.pk, session=user.sessions.get().pk), fields)
        assert answer.status_code == 302, answer.context["errors"]

    return post


INLINES = {
    f"{name}-{part}": "0"
    for name in ("addresses", "sessions")
    for part in ("TOTAL_FORMS", "INITIAL_FORMS")
}
USER = "/admin/accounts/user/{user}/"
ENDS: dict[str, Callable[[Api, User, Pair], None]] = {
    each.__name__: each
    for each in (
        signed_out,
        signed_out_everywhere,
        ended_from_another_device,
        password_changed_on_another_device,
        password_reset,
        refresh_token_replayed,
        account_closed,
        deactivated,
        deactivated_in_bulk,
        deactivated_by_sql,
        made_staff,
        made_superuser_in_bulk,
        password_set_in_a_shell,
        deleted,
        session_deleted,
    )
} | {
    "deactivated in the admin": in_the_admin(
        f"{USER}change/", email="ada@example.com", language="en", **INLINES
    ),
    "made staff in the admin": in_the_admin(
        f"{USER}change/",
        email="ada@example.com",
        language="en",
        is_active="on",
        is_staff="on",
        **INLINES,
    ),
    "another address in the admin": in_the_admin(
        f"{USER}change/", email="eve@example.com", language="en", is_active="on", **INLINES
    ),
    "password set in the admin": in_the_admin(
        f"{USER}password/", password1=NEW, password2=NEW, usable_password="true"
    ),
    "password taken in the admin": in_the_admin(
        f"{USER}password/", usable_password="false", **{"unset-password": "1"}
    ),
    "deleted in the admin": in_the_admin(f"{USER}delete/", post="yes"),
    "session deleted in the admin": in_the_admin(
        "/admin/accounts/session/{session}/delete/", post="yes"
    ),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_access_token_ends_with_its_session(api: Api, end: Callable[..., None]):
    user, other = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    pair, unharmed = sign_in(api, user), sign_in(api, other)
    assert statuses(api, pair["access"]) == [200, 201, 200]

    end(api, user, pair)

    assert statuses(api, pair["access"]) == [401, 401, 401]
    assert api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
    if end is not session_deleted:
        assert statuses(api, unharmed["access"]) == [200, 201, 200]


def test_the_session_that_changes_the_password_stays(api: Api):
    user = make_customer()
    here = sign_in(api, user)["access"]

    answer = api.post(
        "/auth/password/change/", {"current_password": PASSWORD, "new_password": NEW}, token=here
    )

    assert answer.status_code == 204
    assert statuses(api, here) == [200, 201, 200]


def test_a_rehash_of_the_same_password_ends_nothing(api: Api, settings: Any):
    user = make_customer()
    User.objects.update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    access = sign_in(api, user)["access"]

    assert User.objects.get().password.startswith("argon2$")
    assert statuses(api, access) == [200, 201, 200]


def open_admin() -> tuple[User, Client]:
    staff, browser = make_staff(email="chief@example.com"), Client()
    browser.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200
    return staff, browser


def chief_signs_out_everywhere(api: Api, staff: User) -> None:
    signed_out_everywhere(api, staff, sign_in(api, staff))


def chief_resets_the_password(api: Api, staff: User) -> None:
    password_reset(api, User.objects.get(pk=staff.pk), {})


def chief_changes_the_password(api: Api, staff: User) -> None:
    password_changed_on_another_device(api, staff, {})


def another_chief_signs_them_out(api: Api, staff: User) -> None:
    browser = Client()
    browser.force_login(make_staff())
    answer = browser.post(
        "/admin/accounts/user/",
        {"action": "revoke_sessions", "_selected_action": [str(staff.pk)]},
    )
    assert answer.status_code == 302


def chief_is_deactivated_and_back(api: Api, staff: User) -> None:
    User.objects.filter(pk=staff.pk).update(is_active=False)
    User.objects.filter(pk=staff.pk).update(is_active=True)


def a_command_sets_the_password(api: Api, staff: User) -> None:
    staff.set_password(NEW)
    staff.save()


@pytest.mark.parametrize(
    "end",
    [
        chief_signs_out_everywhere,
        chief_resets_the_password,
        chief_changes_the_password,
        another_chief_signs_them_out,
        chief_is_deactivated_and_back,
        a_command_sets_the_password,
    ],
)
def test_sessions_of_the_admin_end_too(api: Api, end: Callable[[Api, User], None]):
    staff, browser = open_admin()
    _, unharmed = make_staff(), Client()
    unharmed.force_login(make_staff())

    end(api, staff)

    assert browser.get("/admin/").status_code == 302
    assert unharmed.get("/admin/").status_code == 200


def test_who_saves_an_older_row_of_a_user_revives_no_session(api: Api):
    staff, browser = open_admin()
    older = User.objects.get(pk=staff.pk)

    sessions.revoke_sessions(user_ids=[staff.pk], at=timezone.now())
    older.name = "Chief"
    older.save()

    assert User.objects.get(pk=staff.pk).name == "Chief"
    assert browser.get("/admin/").status_code == 302


def test_a_clerk_who_becomes_a_superuser_signs_in_to_the_admin_anew():
    clerk, browser = make_staff("orders.view_order", email="clerk@example.com"), Client()
    browser.post("/admin/login/", {"username": clerk.email, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200

    User.objects.filter(pk=clerk.pk).update(is_superuser=True)

    assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_superuser": False}, {"name": "Ada"}])
def test_fewer_rights_end_no_session(api: Api, change: dict[str, Any]):
    user = make_staff()
    pair = sign_in(api, user)

    User.objects.filter(pk=user.pk).update(**change)

    assert api.get("/me/", token=pair["access"]).status_code == 200


def test_a_session_of_the_admin_ends_after_eight_idle_hours():
    _, browser = open_admin()
    left = browser.session.get_expiry_age()
    browser.get("/admin/")

    assert 8 * 3600 - 60 < left <= 8 * 3600
    assert 8 * 3600 - 60 < browser.cookies["sessionid"]["max-age"] <= 8 * 3600


def test_a_session_of_the_admin_ends_a_day_after_its_sign_in():
    _, browser = open_admin()
    began_at = timezone.now() - timedelta(hours=23)
    session = browser.session
    session["_began_at"] = began_at.isoformat()
    session.save()

    page = browser.get("/admin/")

    assert page.status_code == 200
    assert browser.cookies["sessionid"]["max-age"] <= 3600
    row = DjangoSession.objects.get(pk=session.session_key)
    assert row.expire_date == began_at + timedelta(hours=24)
    row.expire_date = timezone.now()
    row.save()
    assert browser.get("/admin/").status_code == 302


def test_whoever_proves_themselves_again_has_another_day_in_the_admin(rf):
    user, browser = open_admin()
    session, before = browser.session, browser.session.session_key
    session["_began_at"] = (timezone.now() - timedelta(hours=23)).isoformat()
    request = rf.get("/")
    request.session, request.user = session, user

    login(request, user, backend="lavka.accounts.backends.LockingBackend")

    assert session.get_expiry_age() > 7 * 3600
    assert session.session_key != before
    assert not DjangoSession.objects.filter(pk=before).exists()


def test_what_is_kept_of_ended_sessions_is_bounded(api: Api):
    user = make_customer()
    old, new = sign_in(api, user), sign_in(api, user)
    for pair in (old, new):
        signed_out(api, user, pair)
    first = UUID(str(tokens.read_refresh(old["refresh"]).session_id))
    EndedSession.objects.filter(pk=first).update(
        ended_at=timezone.now() - revocation.kept_for() - timedelta(seconds=1)
    )

    assert revocation.purge(at=timezone.now()) == 1
    assert EndedSession.objects.exclude(pk=first).count() == 1
    Session.objects.update(expires_at=timezone.now() - timedelta(days=1))
    purge_sessions()
    assert EndedSession.objects.count() == 1


def test_the_command_that_changes_a_password_ends_the_sessions(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    user = make_customer()
    pair = sign_in(api, user)
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)

    call_command("changepassword", user.email, stdout=StringIO())

    assert statuses(api, pair["access"]) == [401, 401, 401]
    assert sign_in(api, user, NEW)


def deactivate_while(act: Callable[[], object], user: User) -> list[bool]:
    """Deactivate the user while they `act`; whether each of their sessions has ended."""

    def deactivate() -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)

    race_each(act, deactivate)
    ended = set(EndedSession.objects.values_list("pk", flat=True))
    return [pk in ended for pk in user.sessions.values_list("pk", flat=True)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_nobody_signs_in_or_refreshes_past_their_deactivation(api: Api, attempt: int):
    signing_in, refreshing = make_customer(), make_customer()
    raw = sign_in(api, refreshing)["refresh"]
    at = timezone.now()

    sessions_of_both = [
        *deactivate_while(
            lambda: sessions.sign_in(
                email=signing_in.email, password=PASSWORD, source=Source("x"), user_agent="", at=at
            ),
            signing_in,
        ),
        *deactivate_while(lambda: sessions.refresh(raw=raw, at=at), refreshing),
    ]

    assert len(sessions_of_both) >= 1
    assert all(sessions_of_both)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_trigger_a_session_outlives_its_user(api: Api):
    user = make_customer()
    sign_in(api, user)
    try:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER user_sessions_end")
        assert deactivate_while(lambda: None, user) == [False]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_user ENABLE TRIGGER user_sessions_end")
