"""What `operations.report` and `operations.adopt` are made of."""
