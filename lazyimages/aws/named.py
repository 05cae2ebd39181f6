"""What CloudFront keeps by name, and we create and update: policies and origin access controls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lazyimages.aws.converge import overlay
from lazyimages.aws.documents import Document
from lazyimages.aws.plans import Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What is kept: in words, in the API's structures, and in the client's methods (one, several)."""

    words: str
    noun: str
    method: str
    methods: str


CACHE = Kind(words="cache policy", noun="CachePolicy", method="cache_policy", methods="cache_policies")
HEADERS = Kind(
    words="response headers policy",
    noun="ResponseHeadersPolicy",
    method="response_headers_policy",
    methods="response_headers_policies",
)
ACCESS = Kind(
    words="origin access control",
    noun="OriginAccessControl",
    method="origin_access_control",
    methods="origin_access_controls",
)
# What of a policy goes away when it is no longer wanted; all else that somebody added to it stays.
_REMOVED = ("CorsConfig",)


def plan(client: Any, kind: Kind, wanted: Document, ids: dict[Kind, str]) -> Step:
    """Return the step that creates or updates one; `ids` gets its id, at once or when it is created.

    Until then its entry says what it will be the id of.
    """
    config = f"{kind.noun}Config"
    found = find(client, kind, wanted["Name"])
    if found is None:
        ids[kind] = f"(id of {kind.words} {wanted['Name']})"

        def create() -> None:
            answer = getattr(client, f"create_{kind.method}")(**{config: wanted})
            ids[kind] = answer[kind.noun]["Id"]

        return Step(name=kind.words, before=None, after=wanted, action=create)
    ids[kind] = found
    answer = getattr(client, f"get_{kind.method}")(Id=found)
    before = answer[kind.noun][config]
    kept = {key: value for key, value in before.items() if key in wanted or key not in _REMOVED}
    after = overlay(kept, wanted)

    def update() -> None:
        getattr(client, f"update_{kind.method}")(Id=found, IfMatch=answer["ETag"], **{config: after})

    return Step(name=kind.words, before=before, after=after, action=update)


def find(client: Any, kind: Kind, name: str) -> str | None:
    """Return the id of what has a name, which is unique in an account; None when nothing has."""
    for summary in _summaries(client, kind):
        # Access controls are listed with their name, policies inside of a document with all that is in them.
        config = summary.get(kind.noun, {}).get(f"{kind.noun}Config", summary)
        if config["Name"] == name:
            return str(summary.get(kind.noun, summary)["Id"])
    return None


def _summaries(client: Any, kind: Kind) -> Iterator[Document]:
    custom = {} if kind is ACCESS else {"Type": "custom"}
    page: dict[str, str] = {}
    while True:
        found = getattr(client, f"list_{kind.methods}")(**custom, **page)[f"{kind.noun}List"]
        yield from found.get("Items", [])
        if not found.get("NextMarker"):
            return
        page = {"Marker": found["NextMarker"]}
