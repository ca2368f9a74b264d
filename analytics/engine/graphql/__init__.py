"""What the GraphQL types of all wings share: window inputs, receipts, prices."""
