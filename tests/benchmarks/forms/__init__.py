"""ledger_forms: other ways to write the ledger from an update, measured against the one that ships."""
