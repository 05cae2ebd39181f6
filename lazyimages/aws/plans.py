"""What is to be changed on AWS: steps, each with its document before and after."""

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from lazyimages.aws.documents import Document


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One document on AWS, before and after; `action` makes the change, and raises what boto3 raises.

    Secrets are not in the documents, but words that tell whether they are as in the settings.
    """

    name: str
    before: Document | None
    after: Document | None
    action: Callable[[], object] = field(repr=False, compare=False)

    @property
    def changes(self) -> bool:
        """Tell whether there is anything to do."""
        return self.before != self.after

    def diff(self) -> list[str]:
        """Return the lines of a unified diff of the documents as JSON, without ends of line."""
        before, after = _lines(self.before), _lines(self.after)
        return list(difflib.unified_diff(before, after, "before", "after", lineterm=""))

    def as_dict(self) -> Document:
        """Return what `--format json` prints."""
        return {"name": self.name, "changed": self.changes, "before": self.before, "after": self.after}


def _lines(document: Document | None) -> list[str]:
    return [] if document is None else json.dumps(document, indent=2, sort_keys=True).splitlines()
