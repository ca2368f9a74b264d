"""The form that people sign in with."""

from django.contrib.admin.forms import AdminAuthenticationForm


class SignInForm(AdminAuthenticationForm):
    """Email and password. Logins are kept in lower case, so an email is found however it is typed."""

    def clean_username(self) -> str:
        """The email as logins have it."""
        return str(self.cleaned_data["username"]).strip().lower()
