"""The form that people sign in with."""

from django.contrib.admin.forms import AdminAuthenticationForm

from tasks_app.models import email_of_login


class SignInForm(AdminAuthenticationForm):
    """Email and password. Logins are kept in lower case, so an email is found however it is typed."""

    def clean_username(self) -> str:
        """The email as logins have it."""
        return email_of_login(str(self.cleaned_data["username"]))
