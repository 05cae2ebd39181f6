"""Direct upload: a browser sends a file to S3 by itself, and a form gets a token in its place.

`offer` gives a browser a place below `incoming/` and a token. `confirm` finds out from the file's first
bytes whether it may become an original, and the field copies it to its own name. No more than a header
passes through the app, so a damaged rest shows only when the first variant is made.
"""

import functools
import logging
import secrets
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.core.exceptions import BadRequest
from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.middleware.csrf import _unmask_cipher_token  # type: ignore[attr-defined]  # no stub
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy

from lazyimages import accepting, conf, current, formats, keys, storage, uploads
from lazyimages.engines.base import Probe
from lazyimages.exceptions import (
    CorruptImage,
    ImageError,
    ImageTooLarge,
    StorageUnavailable,
    UnsupportedImage,
)

if TYPE_CHECKING:
    from lazyimages.storage.incoming import Head, Incoming

POST_SECONDS = 10 * 60  # how long a browser may begin to send
TOKEN_SECONDS = 60 * 60  # how long a form may be sent after that

logger = logging.getLogger("lazyimages")

_SALT = "lazyimages.direct"
_GONE = gettext_lazy("the file is not there any more; choose it again")
_CHANGED = gettext_lazy("the file has changed since it was looked at; choose it again")
_SECRET_LENGTH = 32  # of Django's CSRF secret; with its mask a token has twice as many characters
_NAME_LENGTH = 255
# How much of a file is read: a header at first, then what few files need.
_HEADER = 64 * 2**10
_LONG_HEADER = 2**20
# Their decoders want a file of its full length, and look at its beginning alone.
_PADDED = (formats.WEBP, formats.AVIF, formats.HEIC)


class UploadAgain(ImageError, BadRequest):
    """What was sent to S3 cannot be used: gone, changed, or somebody else's.

    Raised by saving a row, it is 400 in Django, not 500, where a view does not make a form's error of it.
    """

    reason = "upload-again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Where a browser may POST one file, with which fields before it, and the token for the form."""

    url: str
    fields: dict[str, str]
    token: str


class Pending:
    """A token that came with a form, and what its owner is known by; nothing is verified as yet."""

    def __init__(self, token: str, owner: str) -> None:
        self.token, self.owner = token, owner
        self._ticket = _read_token(token)

    @property
    def client_name(self) -> str:
        """The name of the file in the browser; empty for a token that is not ours, or too old."""
        return self._ticket.get("name", "") if self._ticket else ""

    @property
    def is_good(self) -> bool:
        """Tell whether the token is ours, not too old, and from the browser that it was given to."""
        return self._ticket is not None and self.is_owners

    @property
    def is_owners(self) -> bool:
        """Tell whether the token was given to the browser that sends it."""
        mark = self._ticket.get("owner", "") if self._ticket else ""
        return bool(self.owner) and constant_time_compare(mark, self.owner)

    @property
    def key(self) -> str:
        """The name of the object below `incoming/`; `UploadAgain` when the token does not count."""
        if self._ticket is None:
            raise UploadAgain(gettext_lazy("the upload is too old or damaged; choose the file again"))
        if not self.is_owners:
            raise UploadAgain(gettext_lazy("this file was sent by somebody else; choose it again"))
        return str(self._ticket["key"])


class DirectUpload(File):  # type: ignore[type-arg]  # generic in django-stubs alone
    """An upload that lies on S3 already. Its bytes are fetched only when somebody reads them."""

    def __init__(self, *, key: str, etag: str, name: str, size: int, probe: Probe) -> None:
        self.name, self.mode, self.size = name, "rb", size
        self.content_type = probe.format.media_type
        self._key, self._etag = key, etag
        uploads.mark(self, probe)

    @cached_property
    def file(self) -> BytesIO:  # type: ignore[override]
        """All of the file, as it was looked at; `UploadAgain` when it has changed since."""
        whole = _incoming().look(self._key, self.size)
        if whole is None or whole.etag != self._etag:
            raise UploadAgain(_CHANGED)
        return BytesIO(whole.data)

    def store_as(self, name: str, media_type: str) -> str:
        """Make it an original: copy it within S3, unless it has changed, and remove it from `incoming/`.

        It is removed after commit, so that a form whose row was not saved after all can be sent again.
        """
        if not _incoming().take_in(self._key, name, etag=self._etag, content_type=media_type):
            raise UploadAgain(_CHANGED)
        transaction.on_commit(functools.partial(_remove, self._key))
        return name


def takes_place() -> bool:
    """Tell whether originals are on an S3 to which a browser can send."""
    return storage.is_s3(_originals()) and _incoming().takes_posts


def offer(*, client_name: str, media_type: str, size: int, csrf_token: str) -> Offer:
    """Return where a browser may send one file, and under which conditions, without a request to S3.

    All that counts is fixed here and signed: the key, the type, the length of 1 to MAX_BYTES bytes, the
    time. Raises `RefusedName` and `ImageError` for what will be refused in any case.
    """
    client_name = _file_name(client_name)
    keys.check_client_name(client_name)
    allowed = accepting.media_type(media_type, client_name)
    if allowed is None:
        raise UnsupportedImage(gettext_lazy("this is no picture that can be used here"))
    most = current.limits().max_bytes
    if size > most:
        raise ImageTooLarge(f"the file has {size:,} bytes; at most {most:,} are allowed")
    key = f"{storage.INCOMING}{secrets.token_hex(16)}"
    url, fields = _incoming().presigned_post(key, content_type=allowed, most_bytes=most, seconds=POST_SECONDS)
    ticket = {"key": key, "name": client_name, "owner": owner_of(csrf_token)}
    return Offer(url=url, fields=fields, token=signing.dumps(ticket, salt=_SALT))


def _file_name(client_name: str) -> str:
    """Return a client's file name as Django's parser of forms does: printable, no path, and never empty."""
    name = client_name.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()).strip()
    return name[-_NAME_LENGTH:] if name not in ("", ".", "..") else "img"


def pending(token: str, csrf_token: str) -> Pending:
    """Return a token as it came with a form, whose own CSRF token tells which browser sends it."""
    return Pending(token, owner_of(csrf_token))


def owner_of(csrf_token: str) -> str:
    """Return what stands for the browser that has a CSRF token; empty for a text that is none.

    Each form has the secret in another mask. Django changes the secret at every login, so a token of one
    account is nothing in another, also in the same browser.
    """
    if len(csrf_token) not in (_SECRET_LENGTH, 2 * _SECRET_LENGTH) or not csrf_token.isalnum():
        return ""
    if not csrf_token.isascii():
        return ""
    secret = csrf_token if len(csrf_token) == _SECRET_LENGTH else _unmask_cipher_token(csrf_token)
    return salted_hmac(_SALT, secret, algorithm="sha256").hexdigest()


def confirm(given: Pending) -> DirectUpload:
    """Return the upload that a token stands for, by one GET of its first bytes.

    Raises `UploadAgain`, `RefusedName`, another `ImageError`, and `StorageUnavailable`. What is no picture is
    deleted at once: else the same token would make the app read up to MAX_BYTES each time that it is sent.
    """
    key = given.key
    if not takes_place():  # any longer
        raise UploadAgain(_GONE)
    keys.check_client_name(given.client_name)
    head = _incoming().look(key, _HEADER)
    if head is None:
        raise UploadAgain(_GONE)
    most = current.limits().max_bytes
    try:
        if head.size > most:
            raise ImageTooLarge(f"the file has {head.size:,} bytes; at most {most:,} are allowed")
        probe = _probe(key, head)
    except ImageError:
        _remove(key)
        raise
    return DirectUpload(key=key, etag=head.etag, name=given.client_name, size=head.size, probe=probe)


def _probe(key: str, head: "Head") -> Probe:
    """Return what the beginning of a file says; more of it is read for the few whose header is long."""
    try:
        return _probe_beginning(head.data, head.size)
    except CorruptImage:
        if len(head.data) >= head.size:
            raise
    for most in (_LONG_HEADER, head.size):
        more = _incoming().look(key, most)
        if more is None or more.etag != head.etag:
            raise UploadAgain(_CHANGED)
        try:
            return _probe_beginning(more.data, more.size)
        except CorruptImage:
            if len(more.data) >= more.size:
                raise
    raise CorruptImage(gettext_lazy("the file is damaged and cannot be read as an image"))


def _probe_beginning(data: bytes, size: int) -> Probe:
    if formats.sniff(data) in _PADDED:
        data = data.ljust(size, b"\0")
    return current.engine().probe(data, limits=current.limits())


def _remove(key: str) -> None:
    try:
        _incoming().delete([key])
    except StorageUnavailable as error:
        logger.warning("left for the lifecycle rule: %s (%s)", key, error)


def _originals() -> Storage:
    return storages[conf.settings().originals]


def _incoming() -> "Incoming":
    from lazyimages.storage.incoming import Incoming  # boto3 is an extra

    return Incoming(_originals())


def _read_token(token: str) -> dict[str, Any] | None:
    try:
        ticket = signing.loads(token, salt=_SALT, max_age=TOKEN_SECONDS)
    except signing.BadSignature:
        return None
    return ticket if isinstance(ticket, dict) else None
