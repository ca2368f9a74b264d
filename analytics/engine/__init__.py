"""What every family of facts shares: how it is declared, folded, read and shown."""
