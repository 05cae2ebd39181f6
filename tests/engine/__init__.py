"""Tests of what every engine must do: bytes and jobs in, pixels out."""
