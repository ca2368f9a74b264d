"""Replay: answers straight from the ledger, slow where the ledger is long, and always right."""
