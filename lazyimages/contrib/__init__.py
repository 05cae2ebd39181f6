"""Edges to other packages, each an extra: import the module that is wanted."""
