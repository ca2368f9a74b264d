from django.db import models

from tasks_app.models.tenant import TenantOwned


class ClientMutation(TenantOwned):
    """A mutation that a client named: sent again within 24 hours it answers the same and does nothing.

    The row is written in the mutation's own transaction. `outcome` holds ids, never people's words.
    """

    actor_id = models.IntegerField()
    client_mutation_id = models.TextField()
    fingerprint = models.BinaryField(max_length=32)
    outcome = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "client_mutation"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "actor_id", "client_mutation_id"], name="client_mutation_once")
        ]

    def __str__(self) -> str:
        return self.client_mutation_id
