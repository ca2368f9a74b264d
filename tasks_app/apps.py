from django.apps import AppConfig


class TasksAppConfig(AppConfig):
    """The record: who owns what, and the ledger of every change to it."""

    name = "tasks_app"
    verbose_name = "the record"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from tasks_app import checks  # noqa: F401  registers the system checks

        # A worker counts jobs; the web's processes are told by config.wsgi.
        post_spawn.connect(_count_in_worker)


def _count_in_worker(**_: object) -> None:
    # Only in a worker: what counts imports what is counted.
    from tasks_app.observing.flushing import count_in_worker

    count_in_worker()
