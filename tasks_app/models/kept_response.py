from django.db import models

from tasks_app.models.tenant import TenantOwned


class KeptResponse(TenantOwned):
    """The answer to a request that came with an Idempotency-Key, written in the request's own transaction.

    The body may hold people's words, so it is gone after 24 hours.
    """

    actor_id = models.IntegerField()
    name = models.TextField()
    fingerprint = models.BinaryField(max_length=32)
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "kept_response"
        constraints = [models.UniqueConstraint(fields=["tenant", "actor_id", "name"], name="kept_response_once")]

    def __str__(self) -> str:
        return self.name
