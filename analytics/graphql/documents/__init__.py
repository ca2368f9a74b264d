"""Documents as endpoints of their own: GET /api/v2/analytics/<name>."""
