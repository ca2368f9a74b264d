"""Flow wing: tasks that move through states, from their ledger to charts."""
