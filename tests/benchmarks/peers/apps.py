from django.apps import AppConfig


class PeersConfig(AppConfig):
    """The models that the ledger is measured against."""

    name = "tests.benchmarks.peers"
    label = "peers"
    default_auto_field = "django.db.models.AutoField"
