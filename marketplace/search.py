"""Full-text search: PostgreSQL's own where the shop runs on it, words in a text elsewhere.

A product's document is a generated column, so it is in step with the row whoever writes it. What is typed
follows PostgreSQL's websearch syntax: all words, "a phrase", and -without; `or` works on PostgreSQL alone,
as does finding “bowls” for “bowl” and “Tomás” for “tomas”. Elsewhere a word may be part of a longer one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import models
from django.db.models import F, Func, Lookup, Value

CONFIGURATION = "english"
# What is found in the title counts most, then the maker, then the description.
WEIGHTS = {"title": ("A", 1.0), "maker_name": ("B", 0.4), "description": ("D", 0.1)}
MOST_TERMS = 8
# Ranking reads every match, so only the newest are ranked; nobody pages further by relevance.
RANKED = 480

# Latin letters with signs, and what many keyboards have in their place. PostgreSQL's own `unaccent` is an
# extension, and not immutable as a generated column has to be.
_PLAIN = {
    letter: parts[0]
    for letter in map(chr, range(0xC0, 0x250))
    if len(parts := unicodedata.normalize("NFD", letter)) > 1 and parts[0].isascii()
}
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


class DocumentField(models.Field):  # type: ignore[type-arg]
    """What is searched: a tsvector on PostgreSQL, plain text elsewhere."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class Document(Func):
    """The expression that makes a product's document of its columns."""

    output_field = DocumentField()

    def __init__(self, **extra: Any) -> None:
        super().__init__(*[F(name) for name in WEIGHTS], **extra)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        return self._joined(compiler, " || ' ' || ", lambda sql, _: sql)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        return self._joined(
            compiler,
            " || ",
            lambda sql, weight: f"setweight(to_tsvector('{CONFIGURATION}', {_plain_sql(sql)}), '{weight}')",
        )

    def _joined(self, compiler: Any, glue: str, part: Any) -> tuple[str, list[Any]]:
        texts, parameters = [], []
        for expression, (weight, _) in zip(self.get_source_expressions(), WEIGHTS.values(), strict=True):
            sql, own = compiler.compile(expression)
            texts.append(part(sql, weight))
            parameters += own
        return glue.join(texts), parameters


@DocumentField.register_lookup
class Matches(Lookup):  # type: ignore[type-arg]
    """`document__matches="walnut bowl"`: whether a document has what was typed."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        found = terms(self.rhs)
        if not any(wanted for wanted, _ in found):
            return "1 = 0", []
        tests = [f"{column} {'' if wanted else 'NOT '}LIKE %s ESCAPE '\\'" for wanted, _ in found]
        return f"({' AND '.join(tests)})", [p for _, text in found for p in (*parameters, _like(text))]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} @@ websearch_to_tsquery('{CONFIGURATION}', %s)", [*parameters, plain(self.rhs)]


class Rank(Func):
    """How well a product matches what was typed: the higher, the better."""

    output_field = models.FloatField()

    def __init__(self, text: str) -> None:
        super().__init__(F("document"), *[F(name) for name in WEIGHTS])
        self.text = text

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        parts, parameters = ["0.0"], []
        columns = self.get_source_expressions()[1:]
        for text in (text for wanted, text in terms(self.text) if wanted):
            for column, (_, weight) in zip(columns, WEIGHTS.values(), strict=True):
                sql, own = compiler.compile(column)
                parts.append(f"CASE WHEN {sql} LIKE %s ESCAPE '\\' THEN {weight} ELSE 0.0 END")
                parameters += [*own, _like(text)]
        return f"({' + '.join(parts)})", parameters

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.get_source_expressions()[0])
        query, own = compiler.compile(Value(plain(self.text)))
        # Twice the digits, so that a cursor holds exactly what the database compares.
        rank = f"ts_rank({column}, websearch_to_tsquery('{CONFIGURATION}', {query}))::float8"
        return rank, [*parameters, *own]


def plain(text: str) -> str:
    """Return a text without the signs above and below its letters."""
    return unicodedata.normalize("NFC", text).translate(str.maketrans(_PLAIN))


def terms(text: str) -> list[tuple[bool, str]]:
    """Return what is wanted (True) and unwanted, in the order typed, eight at most."""
    found = [
        (not minus, " ".join((phrase or word).replace('"', " ").split()))
        for minus, phrase, word in _TERM.findall(text)
    ]
    return [(wanted, term) for wanted, term in found if term and term != "-"][:MOST_TERMS]


def best_matches(found: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
    """Return the newest of what was found, each with its `rank`."""
    newest = found.order_by("-created", "-pk").values("pk")[:RANKED]
    return found.model._default_manager.filter(pk__in=newest).annotate(rank=Rank(text))


def _plain_sql(sql: str) -> str:
    return f"translate({sql}, '{''.join(_PLAIN)}', '{''.join(_PLAIN.values())}')"


def _like(text: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"
