"""Which addresses the shop may be sent to."""

import pytest

from lavka.kernel.outbound import is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "::127.0.0.1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "fe80::1", "fe80::1%2", "fd00:ec2::254",
        "fec0::1", "ff02::1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_internet_is_never_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "23.227.38.32", "2620:127:f00f:5::", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)
