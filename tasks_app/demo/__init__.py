"""Demo of `manage.py demo`: two tenants whose history goes through the product's own doors."""
