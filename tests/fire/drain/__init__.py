"""SIGTERM: what has begun is ended, and nothing new begins."""
