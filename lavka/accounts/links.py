"""Pages about accounts that mails lead to."""

from lavka.kernel.links import LinkKind, register

VERIFY_EMAIL = register(LinkKind("verify_email", "/verify-email?token={token}"))
RESET_PASSWORD = register(LinkKind("reset_password", "/reset-password?token={token}"))
FORGOT_PASSWORD = register(LinkKind("forgot_password", "/forgot-password"))
SIGN_IN = register(LinkKind("sign_in", "/sign-in?token={token}"))
CHANGE_EMAIL = register(LinkKind("change_email", "/change-email?token={token}"))
UNDO_EMAIL_CHANGE = register(LinkKind("undo_email_change", "/undo-email-change?token={token}"))
