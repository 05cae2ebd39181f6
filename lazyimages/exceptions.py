"""The errors of lazyimages, all below `LazyImagesError`. HTTP statuses are chosen in `views` alone."""

from collections.abc import Mapping


class LazyImagesError(Exception):
    """Anything that lazyimages raises on purpose; `reason` is one word for it, fit for a metric's label."""

    reason = "error"
    remembered = False  # raised again, for what was found out a moment ago


class InvalidSize(LazyImagesError, ValueError):
    """A text is not in the size grammar: `WxH`, `Ww` or `Hh`, numbers 1 to 9999 without leading zeros."""


class InvalidKey(LazyImagesError, ValueError):
    """A text is not the key of a variant in its canonical form."""

    reason = "key"


class RefusedName(LazyImagesError, ValueError):
    """An original has a name whose variants could not be told apart from those of another original."""


class ImageError(LazyImagesError):
    """The file itself is the trouble; the message is fit for the person who uploaded it."""

    reason = "image"


class UnsupportedImage(ImageError):
    """The bytes are no image, or one of a format outside the allow-list."""

    reason = "unsupported"


class CorruptImage(ImageError):
    """The bytes begin like an image, but are truncated or cannot be decoded."""

    reason = "corrupt"


class ImageTooLarge(ImageError):
    """The image has more bytes, or pixels over all its frames, than the settings allow, or would take too
    long to read: more than 100 scans, 10,000 frames, or 50,000 segments, chunks or blocks.
    """

    reason = "too-large"


class CannotEncode(ImageError):
    """A variant cannot be written in its format, such as WebP of more than 16,383 pixels a side."""

    reason = "encode"


class EncoderMissing(LazyImagesError):
    """The engine was built without the encoder that a format needs."""

    reason = "encoder"


class OriginalNotFound(LazyImagesError):
    """There is no original under this name."""

    reason = "missing"


class StorageUnavailable(LazyImagesError):
    """The storage did not answer, or refused: nothing is known about the file."""

    reason = "storage"
    waited = False  # for as long as it makes sense


class StorageFull(StorageUnavailable):
    """There is no room left to write, which waiting does not change."""


class NotDeleted(StorageUnavailable):
    """Some files could not be deleted, the others were; `names` says of each why."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = dict(names)
        first, why = next(iter(self.names.items()))
        super().__init__(f"{len(self.names)} files were not deleted; the first: {first!r} ({why})")


class Busy(LazyImagesError):
    """No render slot, or no lock, was free within RENDER_WAIT seconds."""

    reason = "busy"
