"""A project with real workers: its processes, and what they have done."""
