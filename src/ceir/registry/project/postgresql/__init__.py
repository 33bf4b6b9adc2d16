"""Django's PostgreSQL, with connections that are looked at after a pause instead of at each request."""
