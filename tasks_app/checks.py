"""What must not be switched on: checks that run with every command and refuse a configuration that would leak."""
