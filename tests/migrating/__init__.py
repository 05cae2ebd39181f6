"""Projects that move to lazyimages from another library, with that library installed."""
