from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission

from lavka.web.rights import is_allowed
from tests.accounts.factories import make_customer, make_staff

pytestmark = pytest.mark.django_db
VIEW, CHANGE = "catalog.view_product", "catalog.change_product"
allowed = async_to_sync(is_allowed)


def test_a_right_of_ones_own_is_that_right_only():
    staff = make_staff(VIEW)

    assert (allowed(staff.pk, VIEW), allowed(staff.pk, CHANGE)) == (True, False)


def test_a_groups_right_is_each_members():
    group = Group.objects.create(name="Buyers")
    group.permissions.add(Permission.objects.get(codename="change_product"))
    member, other = make_staff(VIEW), make_staff(VIEW)
    member.groups.add(group)

    assert (allowed(member.pk, CHANGE), allowed(other.pk, CHANGE)) == (True, False)


def test_a_superuser_may_everything_and_anybody_of_the_staff_what_needs_no_right():
    assert allowed(make_staff().pk, CHANGE)
    assert allowed(make_staff(VIEW).pk, "")


@pytest.mark.parametrize(
    "who", [{"is_staff": False}, {"is_active": False}, {"is_staff": False, "is_superuser": True}]
)
def test_who_is_not_active_staff_may_nothing(who):
    person = make_customer(**{"is_staff": True, "is_superuser": True} | who)

    assert not allowed(person.pk, "")
    assert not allowed(person.pk, VIEW)


def test_a_stranger_may_nothing():
    assert not allowed(uuid4(), "")


@pytest.mark.parametrize("right", [VIEW, CHANGE, "catalog.no_such", "nothing"])
def test_it_says_what_django_says(right):
    for person in (make_staff(VIEW), make_staff(), make_staff(CHANGE, is_active=False)):
        assert allowed(person.pk, right) == person.has_perm(right)
