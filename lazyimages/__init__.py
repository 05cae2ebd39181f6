"""Store only the original image; make each size the first time a browser asks for it."""

__version__ = "0.1.0"
