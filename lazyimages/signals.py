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
