"""Overload: many times more renders are asked for than two processors can make."""
