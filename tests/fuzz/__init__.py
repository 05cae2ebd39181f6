"""Fuzzing: hostile keys and damaged files, by Hypothesis. `make fuzz` for minutes, pytest for seconds."""
