"""A Django project that draws the same page with several thumbnail libraries."""
