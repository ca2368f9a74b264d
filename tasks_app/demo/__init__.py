"""What `manage.py demo` makes and serves: two tenants whose history goes through the product's own doors."""
