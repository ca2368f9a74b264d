"""Sessions of frontends: signing in and out in plain JSON, around Django's own logins, sessions, forms and tokens."""
