"""Windows answered for any family: coverage, positions, receipts, tokens, cache, estimates."""
