"""Signals that a project may connect to. Receivers' errors are logged and go no further."""

from django.dispatch import Signal

variant_created = Signal()
"""Sent after a variant was stored, with `key` and `original` (str), `probe` (`engines.base.Probe`),
`width` and `height` (of the variant, pixels) and `size` (bytes). The sender is None."""

variant_failed = Signal()
"""Sent when a variant could not be made or stored, with `key` and `original` (str) and `error` (a
`LazyImagesError`). The sender is None."""
