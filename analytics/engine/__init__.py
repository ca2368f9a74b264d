"""Engine that every family of facts shares: how one is declared, folded, read and shown."""
