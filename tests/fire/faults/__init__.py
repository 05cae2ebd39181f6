"""Storage that fails in every way a network can, between a real server and a real bucket."""
