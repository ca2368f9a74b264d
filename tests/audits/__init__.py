"""What is too long for CI: `uv run python -m tests.audits` breaks a server of its own and says what came of it."""
