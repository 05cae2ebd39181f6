"""A shop with photos, as it was before lazyimages."""
