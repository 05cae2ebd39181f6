"""What a purge is about when names alone tell: the keys that the settings allow, without a listing."""

from collections.abc import Callable, Iterator
from itertools import islice

from lazyimages import conf, formats, keys, needs, sizes
from lazyimages.exceptions import RefusedName
from lazyimages.operations.inventory import Inventory
from lazyimages.operations.purging.choosing import Choice
from lazyimages.operations.purging.listed import Key, Totals, put_like_keys, put_wanted
from lazyimages.operations.purging.paths import Paths

_FEW = 500  # keys a query


class Named:
    """Makes the keys of originals, of which nobody knows whether they exist. The names are on disk."""

    def __init__(self, choice: Choice, say: Callable[[str], None]) -> None:
        self.totals = Totals()
        self.inventory = Inventory()
        self._choice, self._say = choice, say
        self._paths = Paths()
        self._taken = False  # whether any row has a file with a name like a key

    def read(self, *, exact: bool) -> None:
        """Read the names, and count what there may be; `exact` asks for the paths of single variants."""
        db = self.inventory.db
        db.execute("CREATE TABLE wanted (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._say("asking for the names of originals")
        put_wanted(db, self._choice)
        self._put_taken()
        self._taken = db.execute("SELECT 1 FROM rows LIMIT 1").fetchone() is not None
        self._paths = Paths(exact=exact)
        for name in self._names(""):
            for key in self._keys_of(name):
                self.totals.count += 1
                if not self._paths.full:
                    self._paths.add(key, name)

    def _put_taken(self) -> None:
        """Put in the keys that are some row's own file: by one question, or by a look at all rows."""
        found = (key for name in self._names("") for key in self._keys_of(name))
        if len(few := list(islice(found, _FEW + 1))) > _FEW:
            put_like_keys(self.inventory)
        elif few:
            self.inventory.put_rows([dict.fromkeys(needs.needed(few, None), "")])

    def paths(self) -> list[str]:
        """Return the paths to invalidate, which are known once all is read."""
        return self._paths.result()

    def keys(self, after: object) -> Iterator[Key]:
        """Yield the keys, after a position: a name, and how many keys of it are done."""
        last, done = after if isinstance(after, (list, tuple)) else ("", 0)
        for name in self._names(last):
            for number, key in enumerate(self._keys_of(name), start=1):
                if name != last or number > done:
                    yield Key(key=key, bytes=None, position=[name, number])

    def originals(self, after: object) -> Iterator[str]:
        """Yield nothing: originals are found by a listing."""
        yield from ()

    def unneeded(self) -> Iterator[tuple[str, int]]:
        """Yield nothing, as `originals`."""
        yield from ()

    def _names(self, first: str) -> Iterator[str]:
        query = "SELECT name FROM wanted WHERE name >= ? ORDER BY name"
        return (name for (name,) in self.inventory.db.execute(query, (first,)))

    def _keys_of(self, name: str) -> Iterator[str]:
        settings, choice = conf.settings(), self._choice
        try:
            outputs = dict.fromkeys([keys.native_format(name), *settings.formats])
            if choice.formats:
                outputs = dict.fromkeys(formats.BY_NAME[each] for each in choice.formats)
            for size in [sizes.parse(text) for text in choice.sizes] or settings.whitelist:
                for output in outputs:
                    key = str(keys.variant_key(name, size, output))
                    if not (self._taken and self._is_of_row(key)):
                        yield key
        except RefusedName:  # of a row: it has no variants
            return

    def _is_of_row(self, key: str) -> bool:
        query = "SELECT 1 FROM rows WHERE name = ?"
        return self.inventory.db.execute(query, (key,)).fetchone() is not None
