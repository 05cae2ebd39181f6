"""Warming: chosen variants are made ahead of time, all sizes of an original from one read and one decode."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from django.db import close_old_connections, models

from lazyimages import conf, keys, render, storage
from lazyimages.exceptions import ImageError, InvalidKey, LazyImagesError, OriginalNotFound, StorageFull
from lazyimages.keys import VariantKey
from lazyimages.operations import rows, run
from lazyimages.operations.warming import requests
from lazyimages.operations.warming.selection import Choice, UnclearWish, choose, sizes_there_are
from lazyimages.operations.warming.wanted import Group, Wanted
from lazyimages.operations.work import Batch, Outcome, Work
from lazyimages.storage.base import AccessDenied

KEYS = 200  # in a batch: some seconds of work, so that no worker is left with the last one for long


def work(
    *,
    names: Sequence[str] = (),
    presets: Sequence[str] = (),
    all_sizes: bool = False,
    formats: Sequence[str] = (),
    models: Sequence[str] = (),
    lookups: Sequence[str] = (),
    newest: int | None = None,
    source: str = "",
    top: int | None = None,
    again: bool = False,
    concurrency: int | None = None,
    say: Callable[[str], None] = lambda text: None,
    facts: dict[str, int] | None = None,
) -> Work:
    """Return the work of making variants.

    `names` are sizes. The originals are those of rows: of `models`, by default every `LazyImageField`, that
    fit `lookups`, and of these the `newest`. With a `source`, a file of `requests` or "-" for standard input,
    the variants are those that were requested: all of them, or the `top`, and of the chosen sizes if there
    are any. Those that are stored are left out, unless they are to be made `again`.

    `facts` gets what is known before the first batch: `existing`, `wanted`, `originals`, and with a source
    `requests` and `no_variants`. `UnclearWish` and `rows.UnknownField` name the choices.
    """
    choice = choose(names, presets, all_sizes=all_sizes, formats=formats)
    if source:
        if models or lookups or newest:
            raise UnclearWish("--from names the variants itself: leave out --model, --queryset and --newest.")
        if not choice.sizes:
            choice = choose((), all_sizes=True, formats=formats)
    elif not choice.sizes:
        raise UnclearWish(
            f"name what to make, by --sizes or --preset; --all-sizes is everything. {sizes_there_are()}"
        )
    elif top:
        raise UnclearWish("--top is about requests: name a log or a list by --from.")
    querysets = [] if source else _querysets(models, lookups)
    known: dict[str, int] = {} if facts is None else facts

    def batches(cursor: str | None) -> Iterator[Batch]:
        with Wanted() as wanted:
            if source:
                _add_requested(wanted, choice, source, top, cursor or "", known, say)
            else:
                wanted.add_originals(_names(querysets, newest, say), choice.keys_of, cursor or "")
            if not again:
                say("Listing the variants that are there …")
                known["existing"] = wanted.strike_out_stored(
                    lambda number: say(f"{number:,} are there already")
                )
            known["wanted"], known["originals"] = wanted.totals()
            yield from _batches(wanted.groups(), again=again)

    threads = concurrency or conf.settings().max_renders + 1  # one reads while the others render
    what = {
        "sizes": [str(size) for size in choice.sizes],
        "formats": list(choice.formats),
        "models": list(models),
        "lookups": list(lookups),
        "newest": newest,
        "source": source,
        "top": top,
        "again": again,
    }
    return Work(
        name="lazyimages_warm",
        task="warm",
        unit="variants",
        what=what,
        batches=batches,
        do=partial(do, listed=True, concurrency=threads),
        look=look,
        total=lambda: known.get("wanted"),
    )


def _querysets(chosen: Sequence[str], lookups: Sequence[str]) -> list[tuple[str, models.QuerySet[Any]]]:
    """Return the column and the rows of each field."""
    found = list(dict.fromkeys(map(rows.find, chosen))) if chosen else rows.fields()
    if not found:
        raise rows.UnknownField("no model of this project has a LazyImageField. Name variants by --from.")
    return [(field.attname, rows.chosen(field, lookups)) for field in found]


def _names(
    querysets: Iterable[tuple[str, models.QuerySet[Any]]], newest: int | None, say: Callable[[str], None]
) -> Iterator[str]:
    read = 0
    for column, queryset in querysets:
        chosen = rows.newest(queryset, [column], newest) if newest else rows.pages(queryset, [column])
        for page in chosen:
            yield from (str(name) for _, name in page)
            read += len(page)
            say(f"{read:,} rows read")


def _add_requested(
    wanted: Wanted,
    choice: Choice,
    source: str,
    top: int | None,
    after: str,
    known: dict[str, int],
    say: Callable[[str], None],
) -> None:
    lines = taken = 0

    def requested(file: BinaryIO) -> Iterator[VariantKey]:
        nonlocal lines, taken
        for key in requests.variants(file):
            lines += 1
            if key is not None and choice.takes(key):
                taken += 1
                yield key
            if lines % 50_000 == 0:
                say(f"{lines:,} lines read")

    with ExitStack() as files:
        wanted.add_requests(requested(_opened(source, files)), top, after)
    known["requests"], known["no_variants"] = taken, lines - taken
    if not taken:
        raise UnclearWish(
            f"none of the {lines:,} lines of {source!r} names a variant that may be made. It has to be an "
            f"access log of CloudFront, S3, nginx or Apache, or a list of keys or URLs. {sizes_there_are()}"
        )


def _opened(source: str, files: ExitStack) -> BinaryIO:
    if source == "-":
        if sys.stdin is None:  # as below some daemons
            raise requests.UnreadableList("standard input is closed; name a file by --from")
        return sys.stdin.buffer
    try:
        return files.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise requests.UnreadableList(f"{source!r} cannot be read: {error.strerror}") from error


def _batches(groups: Iterable[Group], *, again: bool) -> Iterator[Batch]:
    """Yield whole originals together, as long as their keys are not too many for a batch."""
    names: list[str] = []
    refused: dict[str, str] = {}
    last = ""

    def batch() -> Batch:
        arguments: dict[str, Any] = {"keys": names}
        if refused:
            arguments["refused"] = refused
        if again:
            arguments["again"] = True
        return Batch(arguments=arguments, items=len(names), cursor=last)

    for group in groups:
        if last and len(names) + len(refused) + max(len(group.keys), 1) > KEYS:
            yield batch()
            names, refused = [], {}
        names += group.keys
        if group.refusal:
            refused[group.original] = group.refusal
        last = group.original
    if last:
        yield batch()


def do(
    *,
    keys: Sequence[str],
    refused: Mapping[str, str] | None = None,
    again: bool = False,
    listed: bool = False,
    concurrency: int = 1,
) -> Outcome:
    """Make variants, and return what became of them; those that are stored are skipped, unless `again`.

    `listed` says that they have just been looked for. `refused` are names of originals that can have none,
    and why. It may be done twice, or twice at the same time: then a variant is made again, and is as good.
    `StorageUnavailable` when the storage stays away; what was made before is stored.
    """
    wanted, failed = _allowed(keys)
    failed |= {_printable(name): why for name, why in (refused or {}).items()}
    skipped = 0
    if wanted and not (again or listed):
        there = run.patiently(lambda: {entry.name for entry in storage.find(sorted(map(str, wanted)))})
        skipped = len(there)
        wanted = [key for key in wanted if str(key) not in there]
    by_original = [
        (original, list(group))
        for original, group in groupby(sorted(wanted, key=_original_and_key), key=lambda key: key.original)
    ]
    if concurrency == 1:
        made = [_make(*each) for each in by_original]
    else:
        with run.threads(concurrency) as each_of:
            made = list(each_of(lambda each: _make_in_thread(*each), by_original))
    for one in made:
        failed |= one.failed
    figures = {name: sum(one.figures[name] for one in made) for name in ("bytes", "originals_read")}
    return Outcome(done=sum(one.done for one in made), skipped=skipped, failed=failed, figures=figures)


def look(*, keys: Sequence[str], refused: Mapping[str, str] | None = None, again: bool = False) -> Outcome:
    """Return what `do` would make, if all originals are there."""
    wanted, failed = _allowed(keys)
    failed |= {_printable(name): why for name, why in (refused or {}).items()}
    return Outcome(
        done=len(wanted), failed=failed, figures={"originals": len({key.original for key in wanted})}
    )


def _allowed(texts: Sequence[str]) -> tuple[list[VariantKey], dict[str, str]]:
    """Return the keys of variants that may be made, and why others may not: the settings may have changed."""
    settings = conf.settings()
    found, failed = dict[VariantKey, None](), dict[str, str]()
    for text in texts:
        try:
            key = keys.parse(text)
        except InvalidKey as error:
            failed[_printable(text)] = str(error)
            continue
        if settings.allows(key.size, key.format, keys.native_format(key.original)):
            found[key] = None
        else:
            failed[_printable(text)] = "the size or the format is not in the whitelist (any more)"
    return list(found), failed


def _make_in_thread(original: str, wanted: Sequence[VariantKey]) -> Outcome:
    try:
        return _make(original, wanted)
    finally:
        close_old_connections()  # which receivers of a signal may have opened in this thread


def _make(original: str, wanted: Sequence[VariantKey]) -> Outcome:
    """Make variants of one original. What is wrong with the file is a failure; with the storage, an error."""
    try:
        made = render.make_all(original, wanted, patiently=run.patiently)
    except (OriginalNotFound, ImageError) as error:
        return Outcome(failed={_printable(original): str(error)}, figures={"bytes": 0, "originals_read": 0})
    except StorageFull as error:
        raise StorageFull(f"{error}. Free space where the variants are") from error
    except AccessDenied as error:
        raise AccessDenied(
            f"{error}. Let this process write where the variants are: on S3 it needs s3:PutObject "
            "(`lazyimages_iam_policy operator` prints all rights); on disk see the directory's owner and mode"
        ) from error
    failed = {_printable(str(key)): str(one) for key, one in made.items() if isinstance(one, LazyImagesError)}
    lengths = [len(one.data) for one in made.values() if isinstance(one, render.Variant)]
    return Outcome(done=len(lengths), failed=failed, figures={"bytes": sum(lengths), "originals_read": 1})


def _original_and_key(key: VariantKey) -> tuple[str, str]:
    return key.original, str(key)


def _printable(name: str) -> str:
    """Return a name as it may be shown in a terminal."""
    return name if name.isprintable() else quote(name, safe="/~ ", errors="replace")
