from django.db import models


class RateBucket(models.Model):
    """How full one bucket of the rate limiter is: of a key, a login, a tenant, an address.

    No tenant's data: the name is a digest, and what is kept of it is an instant. Unlogged, so after a crash every bucket
    is empty, as it would be after a minute's rest.
    """

    bucket = models.BinaryField(primary_key=True, max_length=16)
    full_at = models.BigIntegerField()
    depth = models.BigIntegerField()

    class Meta:
        db_table = "rate_bucket"

    def __str__(self) -> str:
        return bytes(self.bucket).hex()
