"""What `operations.warm` is made of."""
