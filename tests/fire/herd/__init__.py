"""Herds: a thousand requests at once, and the one that all wait for is killed."""
