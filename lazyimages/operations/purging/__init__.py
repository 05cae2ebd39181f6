"""What `operations.purge` is made of."""
