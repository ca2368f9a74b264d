"""The WSGI application that a web server runs."""

import os

from django.core.wsgi import get_wsgi_application

from tasks_app.observing.flushing import FLUSHER

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
FLUSHER.switch_on()
