"""Endpoints and their keys."""

import datetime
from collections.abc import Container, Sequence
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from lavka.kernel import outbound
from lavka.kernel.conf import options
from lavka.kernel.errors import Denied, FieldError, Invalid
from lavka.kernel.http_urls import BadUrl, HttpUrl
from lavka.kernel.security_log import SecurityEvent
from lavka.webhooks.models import Endpoint, SigningKey
from lavka.webhooks.rules import RIGHTS, EndpointStatus, rights_for
from lavka.webhooks.services.deliveries import cancel_pending
from lavka.webhooks.services.log import log_endpoint
from lavka.webhooks.signatures import Keys

# How long the keys before the current ones still sign, for receivers to change theirs.
OVERLAP = datetime.timedelta(days=1)


class EndpointContent(TypedDict, total=False):
    """What staff may say about an endpoint; `events` are names, none of them means all."""

    name: str
    url: str
    events: Sequence[str]
    status: str


@transaction.atomic
def create_endpoint(
    *,
    name: str,
    url: str,
    events: Sequence[str],
    held: Container[str] = RIGHTS,
    by: UUID | None = None,
) -> tuple[Endpoint, Keys]:
    """Tell an address about these events from now on; the keys are shown this once.

    `by` is who wants and then owns it, `held` are their rights. Raises: Invalid, for an address
    that is not to be called; Denied, for events about what they may not read.
    """
    refuse_address(url)
    require_readable(events, held)
    events = sorted(set(events))
    endpoint = Endpoint.objects.create(name=name, url=url, events=events, owner_id=by)
    log_endpoint(SecurityEvent.WEBHOOK_ENDPOINT_CREATED, endpoint, url=url)
    return endpoint, _add_keys(endpoint)


@transaction.atomic
def update_endpoint(
    *,
    endpoint_id: UUID,
    at: datetime.datetime,
    held: Container[str] = RIGHTS,
    by: UUID | None = None,
    **content: Unpack[EndpointContent],
) -> Endpoint:
    """Change an endpoint; disabling calls off what is under way, enabling closes the circuit.

    `by` is who wants it, `held` are their rights; they own the endpoint from now on, unless they
    only rename or disable it. Raises: Endpoint.DoesNotExist; Invalid, for an address that is
    not to be called; Denied, for events about what they may not read, unless they only disable it.
    Locks: the endpoint.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    if "url" in content:
        refuse_address(content["url"])
    if "events" in content:
        content["events"] = sorted(set(content["events"]))
    changed = [field for field, value in content.items() if getattr(endpoint, field) != value]
    for field, value in content.items():
        setattr(endpoint, field, value)
    if content != {"status": EndpointStatus.DISABLED}:
        require_readable(endpoint.events, held)
    if by is not None and _is_vouched_for(content):
        changed += ["owner"] * (endpoint.owner_id != by)
        endpoint.owner_id, endpoint.withheld_at = by, None
    if endpoint.status == EndpointStatus.ENABLED:
        endpoint.failures, endpoint.open_until = 0, None
    else:
        cancel_pending(endpoint, at=at)
    endpoint.save()
    if changed:
        log_endpoint(
            SecurityEvent.WEBHOOK_ENDPOINT_CHANGED, endpoint, url=endpoint.url, changed=changed
        )
    return endpoint


def _is_vouched_for(content: EndpointContent) -> bool:
    """Whether somebody who saves this says that the endpoint is to get its events."""
    is_enabled = content.get("status") == EndpointStatus.ENABLED
    return not content or is_enabled or "url" in content or "events" in content


@transaction.atomic
def delete_endpoint(*, endpoint_id: UUID) -> None:
    """Forget an endpoint with its keys and its log; raises Endpoint.DoesNotExist."""
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
    log_endpoint(SecurityEvent.WEBHOOK_ENDPOINT_DELETED, endpoint)
    endpoint.delete()


@transaction.atomic
def rotate_keys(*, endpoint_id: UUID, at: datetime.datetime, held: Container[str] = RIGHTS) -> Keys:
    """Give an endpoint new keys; those before them sign too for `OVERLAP`, older ones no more.

    `held` are the rights of who wants it. Raises: Endpoint.DoesNotExist; Denied, where it is told
    of what they may not read. Locks: the endpoint.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    require_readable(endpoint.events, held)
    SigningKey.objects.filter(endpoint=endpoint, expires_at__isnull=False).delete()
    SigningKey.objects.filter(endpoint=endpoint).update(expires_at=at + OVERLAP)
    log_endpoint(SecurityEvent.WEBHOOK_KEYS_ROTATED, endpoint)
    return _add_keys(endpoint)


def require_readable(events: Sequence[str], held: Container[str]) -> None:
    """Refuse events about what somebody with these rights may not read; raises Denied."""
    if any(right not in held for right in rights_for(events)):
        raise Denied


def refuse_address(url: str) -> None:
    """Refuse an address that no delivery would reach; its name is resolved only when one is sent.

    Raises: Invalid.
    """
    try:
        address = HttpUrl.parse(url)
    except BadUrl as fault:
        is_scheme = fault.code == "not_http"
        raise (_not_https() if is_scheme else _refusal(fault.code, fault.reason)) from fault
    is_near_allowed = options.webhooks_allow_private or (
        options.webhooks_allow_loopback and _is_loopback(address.host)
    )
    if address.scheme != "https" and not is_near_allowed:
        raise _not_https()
    if address.fragment:
        raise _refusal("fragment", _("Leave out what follows #: it is never sent."))
    if _is_private(address.host) and not is_near_allowed:
        raise _refusal("forbidden_address", _("A public address is expected."))


def _is_private(host: str) -> bool:
    """Whether it is an IP address that is not of the internet; of a name nobody knows yet."""
    try:
        return not outbound.is_public(host)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    """Whether it is this machine: an IP address of its own, or a name that can mean nothing else.

    Source: RFC 6761, 6.3, "localhost".
    """
    try:
        return outbound.is_loopback(host)
    except ValueError:
        return f".{host}".endswith(".localhost")


def _not_https() -> Invalid:
    return _refusal("not_https", _("An address with https is expected."))


def _refusal(code: str, detail: str) -> Invalid:
    return Invalid(errors=[FieldError("#/url", code, detail)])


def _add_keys(endpoint: Endpoint) -> Keys:
    keys = Keys.make()
    sealed_secret, sealed_private_key = keys.seal()
    SigningKey.objects.create(
        endpoint=endpoint,
        sealed_secret=sealed_secret,
        sealed_private_key=sealed_private_key,
        public_key=keys.public,
    )
    return keys
