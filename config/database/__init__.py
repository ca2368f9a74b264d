"""The Django database engine of this project: PostgreSQL, embedded unless DATABASE_URL names a server."""
