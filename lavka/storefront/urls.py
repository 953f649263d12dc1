"""Pages for customers; links in mails lead here unless the settings name other pages."""

from django.urls import path

from lavka.storefront import accounts, orders, products

app_name = "storefront"
urlpatterns = [
    path("verify-email", accounts.verify_email, name="verify_email"),
    path("change-email", accounts.change_email, name="change_email"),
    path("undo-email-change", accounts.undo_email_change, name="undo_email_change"),
    path("reset-password", accounts.reset_password, name="reset_password"),
    path("forgot-password", accounts.forgot_password, name="forgot_password"),
    path("sign-in-link", accounts.request_sign_in_link, name="request_sign_in_link"),
    path("sign-in", accounts.sign_in, name="sign_in"),
    path("orders/<uuid:order_id>", orders.order, name="order"),
    path("orders/<uuid:order_id>/cancel", orders.cancel, name="cancel_order"),
    path("products/<slug:slug>", products.product, name="product"),
]
