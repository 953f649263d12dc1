"""Whom a network address stands for."""

import pytest
from django.test import RequestFactory

from lavka.web import limits


@pytest.mark.parametrize(
    ("seen", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "local"),
    ],
)
def test_a_client_has_one_address_or_one_network(seen: str, counted: str):
    assert limits.network_of(RequestFactory().get("/", REMOTE_ADDR=seen)) == counted
