"""What can happen to accounts."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AccountEvent(Event):
    """Something about one user."""

    user_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The user."""
        return self.user_id


class CustomerRegistered(AccountEvent):
    """A customer has an account now; the address is not verified yet."""

    name: ClassVar[str] = "accounts.customer_registered"


class RegistrationRepeated(AccountEvent):
    """Somebody tried to register the address of a user who exists."""

    name: ClassVar[str] = "accounts.registration_repeated"


class VerificationRequested(AccountEvent):
    """A user wants the verification mail once more."""

    name: ClassVar[str] = "accounts.verification_requested"


class EmailVerified(AccountEvent):
    """A user proved that the address is theirs."""

    name: ClassVar[str] = "accounts.email_verified"


class PasswordResetRequested(AccountEvent):
    """Somebody forgot a password; for an unknown address `user_id` is nobody's."""

    name: ClassVar[str] = "accounts.password_reset_requested"


class SignInLinkRequested(AccountEvent):
    """Somebody wants to sign in by a mailed link; for an unknown address `user_id` is nobody's."""

    name: ClassVar[str] = "accounts.sign_in_link_requested"


class PasswordChanged(AccountEvent):
    """A user has a new password, changed or reset."""

    name: ClassVar[str] = "accounts.password_changed"


@dataclass(frozen=True, kw_only=True)
class _EmailChangeEvent(AccountEvent):
    change_id: UUID


class EmailChangeRequested(_EmailChangeEvent):
    """A user wants another address, which is to be confirmed from its mailbox."""

    name: ClassVar[str] = "accounts.email_change_requested"


class EmailChanged(_EmailChangeEvent):
    """A user has another address: confirmed from its mailbox, or restored from the old one."""

    name: ClassVar[str] = "accounts.email_changed"


class AccountClosed(AccountEvent):
    """A customer closed their account; the row stays, without anything personal."""

    name: ClassVar[str] = "accounts.account_closed"
