"""Signing in and out for frontends: plain JSON over HTTP around Django's own logins, sessions, forms and tokens."""
