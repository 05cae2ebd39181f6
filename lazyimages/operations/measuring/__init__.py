"""What `operations.measure` is made of."""
