"""Walking directories in the order in which S3 lists keys, so that one can go on after a name.

S3's order is that of the bytes in UTF-8, which is that of the code points, by which Python compares texts.
"""

from collections.abc import Callable, Iterator

ListDirectory = Callable[[str], tuple[list[str], list[str]]]


def names(list_directory: ListDirectory, prefix: str, after: str) -> Iterator[str]:
    """Yield the names of files that begin with `prefix` and come after `after`, ascending.

    `list_directory` returns the names of directories and of files in a directory, "" being the topmost. In
    memory are the names of one directory, and of those above it.
    """
    yield from _below(list_directory, prefix.rpartition("/")[0], prefix, after)


def _below(list_directory: ListDirectory, directory: str, prefix: str, after: str) -> Iterator[str]:
    parent = f"{directory}/" if directory else ""
    directories, files = list_directory(directory)
    # A directory's slash takes part in the order: "a.jpg" comes before "a/b.jpg", and that before "a0.jpg".
    found = [f"{parent}{name}/" for name in directories] + [f"{parent}{name}" for name in files]
    for name in sorted(found):
        if name.endswith("/"):
            if (name >= after or after.startswith(name)) and _may_hold(name, prefix):
                yield from _below(list_directory, name[:-1], prefix, after)
        elif name.startswith(prefix) and name > after:
            yield name


def _may_hold(directory: str, prefix: str) -> bool:
    return directory.startswith(prefix) or prefix.startswith(directory)
