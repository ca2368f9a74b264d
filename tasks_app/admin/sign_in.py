"""Sign-in form for people."""

from django.contrib.admin.forms import AdminAuthenticationForm

from tasks_app.sessions.forms import SignIn


class SignInForm(SignIn, AdminAuthenticationForm):
    """Email and password, as the API's sign-in takes them, and as seldom."""
