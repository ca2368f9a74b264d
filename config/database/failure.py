"""What a caller is told when the embedded server cannot be used."""


class EmbeddedServerError(Exception):
    """One clear sentence: what prevents the embedded server from starting, and what to do."""
