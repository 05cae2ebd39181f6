"""A small host project's app: models as a stranger would write them."""
