"""GraphQL types that all wings share: window inputs, receipts, prices."""
