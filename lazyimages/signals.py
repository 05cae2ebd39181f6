"""Signals that a project may connect to. Receivers' errors are logged and go no further."""

from django.dispatch import Signal

variant_created = Signal()
"""Sent after a variant was stored, with `key` and `original` (str), `probe` (`engines.base.Probe`), `format`
(`formats.Format`), `width` and `height` (of the variant, pixels), `size` (bytes) and `seconds` (a dict of
the time that each stage took). The sender is None."""

variant_failed = Signal()
"""Sent when a variant could not be made or stored, with `key` and `original` (str), `error` (a
`LazyImagesError`), `reason` (its one word, fit for a metric's label) and `seconds` (a dict of the time that
each stage took). The sender is None."""

variants_purged = Signal()
"""Sent after variants of one original were deleted, with `original` (str) and `keys` (a list of str: those
that the settings allow, whether they were there or not; lazyimages_purge sends those of each batch, which a
listing has shown). The sender is None."""
