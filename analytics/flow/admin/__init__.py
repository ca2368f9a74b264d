"""Admin pages of the flow figures: charts, boards, tasks, the ledger."""
