"""What AWS answers and the installed botocore does not know: it would be lost in a document sent back."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree


def members(body: bytes, payload: Any) -> list[str]:
    """Return the paths of the XML elements in an answer for which `payload`, a shape, has no member."""
    return list(_walk(ElementTree.fromstring(body), payload, ""))  # noqa: S314  # botocore parses it too


def _walk(element: ElementTree.Element, shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "list":
        for child in element:
            yield from _walk(child, shape.member, path)
    elif shape.type_name == "structure":
        known = {part.serialization.get("name", name): part for name, part in shape.members.items()}
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name in known:
                yield from _walk(child, known[name], f"{path}{name}.")
            else:
                yield f"{path}{name}"
