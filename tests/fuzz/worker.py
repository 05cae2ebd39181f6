"""The child's side: `python -m tests.fuzz.worker KIND` tries files one by one until its input ends."""

import faulthandler
import json
import os
import struct
import sys
import warnings
from typing import IO, Any

KINDS = ("pillow", "bare", "vips", "host")
ENGINES = {"vips": "lazyimages.engines.vips.VipsEngine"}
LIMITS = {"MAX_PIXELS": 12_000_000, "MAX_BYTES": 4 * 2**20}


def send(file: IO[bytes], *parts: bytes) -> None:
    """Write parts of a message, each behind its length."""
    file.write(b"".join(struct.pack(">I", len(part)) + part for part in parts))
    file.flush()


def receive(file: IO[bytes]) -> bytes | None:
    """Return a part of a message; None at the end."""
    head = file.read(4)
    return file.read(struct.unpack(">I", head)[0]) if len(head) == 4 else None


def main(kind: str) -> None:
    """Set the process up as `kind` says, and try what comes."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what decoders print is no reply
    faulthandler.enable()
    if kind == "bare":
        sys.modules.update({"pyvips": None, "cykooz_resizer": None})  # type: ignore[dict-item]
    settings: dict[str, Any] = {"SIZES": ["64w"], **LIMITS}
    if kind in ENGINES:
        settings["ENGINE"] = ENGINES[kind]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings as django_settings

    django.setup()
    django_settings.LAZYIMAGES = settings
    from PIL import ImageFile

    from lazyimages.engines import libvips
    from tests.fuzz import trial

    libvips.installed()  # its import is no change that a file makes
    warnings.simplefilter("ignore")
    if kind == "host":
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        warnings.simplefilter("error")
    send(replies, b"ready")
    while (header := receive(sys.stdin.buffer)) is not None:
        wanted = json.loads(header)
        faulthandler.dump_traceback_later(wanted["limit"], repeat=True)
        report = trial.run(receive(sys.stdin.buffer) or b"", wanted["specs"])
        faulthandler.cancel_dump_traceback_later()
        send(replies, json.dumps(report).encode())


if __name__ == "__main__":
    main(sys.argv[1])
