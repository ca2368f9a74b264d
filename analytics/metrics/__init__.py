"""What each figure is: one catalogue for descriptions, receipts and documentation."""
