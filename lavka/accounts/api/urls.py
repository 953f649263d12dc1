"""The room's paths below /api/v1/."""

from django.urls import path

from lavka.accounts.api import auth, customers, email, keys, me

urlpatterns = [
    path("auth/register/", auth.RegisterView.as_view()),
    path("auth/verify-email/", auth.VerifyEmailView.as_view()),
    path("auth/verify-email/resend/", auth.ResendVerificationView.as_view()),
    path("auth/token/", auth.TokenView.as_view()),
    path("auth/token/refresh/", auth.RefreshView.as_view()),
    path("auth/sign-in-link/", auth.SignInLinkView.as_view()),
    path("auth/sign-in-link/token/", auth.SignInLinkTokenView.as_view()),
    path("auth/logout/", auth.LogoutView.as_view()),
    path("auth/logout-all/", auth.LogoutAllView.as_view()),
    path("auth/password/forgot/", auth.ForgotPasswordView.as_view()),
    path("auth/password/reset/", auth.ResetPasswordView.as_view()),
    path("auth/password/change/", auth.ChangePasswordView.as_view()),
    path("auth/email/change/", email.ChangeEmailView.as_view()),
    path("auth/email/confirm/", email.ConfirmEmailView.as_view()),
    path("auth/email/undo/", email.UndoEmailView.as_view()),
    path("manage/api-keys/", keys.ApiKeysView.as_view()),
    path("manage/api-keys/<uuid:key_id>/", keys.ApiKeyView.as_view()),
    path("manage/customers/", customers.CustomersView.as_view()),
    path("manage/customers/<uuid:customer_id>/", customers.CustomerView.as_view()),
    path("me/", me.MeView.as_view()),
    path("me/addresses/", me.AddressesView.as_view()),
    path("me/addresses/<uuid:address_id>/", me.AddressView.as_view()),
    path("me/sessions/", me.SessionsView.as_view()),
    path("me/sessions/<uuid:session_id>/", me.SessionView.as_view()),
]
