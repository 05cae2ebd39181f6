"""Scripts for who works on lazyimages: python -m tools.NAME."""
