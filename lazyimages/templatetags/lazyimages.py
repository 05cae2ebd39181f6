"""`{% load lazyimages %}`: srcset, image_url, img, picture and preload for Django's templates.

Each is there as `lazyimages_srcset` and so on, too, beside another library's tag of the short name.
"""

from django.template import Context, Library, Node, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token, token_kwargs

from lazyimages import tags

register = Library()


class LazyImageNode(Node):
    """One use of a tag: the image, the spec, further arguments, and the name that `as` gives."""

    def __init__(
        self,
        tag: str,
        file: FilterExpression,
        spec: FilterExpression,
        arguments: dict[str, FilterExpression],
        target: str | None,
    ) -> None:
        self.tag, self.file, self.spec, self.arguments, self.target = tag, file, spec, arguments, target

    def render(self, context: Context) -> str:
        """Print the tag's value, or keep it under the name that `as` gives."""
        # What is not there resolves to None and prints nothing, also with string_if_invalid set.
        file = self.file.resolve(context, ignore_failures=True)
        arguments = {name: value.resolve(context) for name, value in self.arguments.items()}
        value = tags.TAGS[self.tag](file, self.spec.resolve(context), **arguments)
        if self.target is None:
            return value
        context[self.target] = value
        return ""


def _compile(parser: Parser, token: Token) -> LazyImageNode:
    name, *words = token.split_contents()
    target = None
    if words[-2:-1] == ["as"]:
        *words, _, target = words
    if len(words) < 2:
        raise TemplateSyntaxError(f"{name}: {tags.USAGE.format(name=name)}")
    file, spec = parser.compile_filter(words[0]), parser.compile_filter(words[1])
    rest = words[2:]
    given = [word.partition("=")[0] for word in rest]  # token_kwargs keeps the last of each
    arguments = token_kwargs(rest, parser)
    try:
        tags.check_arguments(name, given[: len(given) - len(rest)], "".join(rest[:1]))
        if not spec.is_var and not spec.filters:
            tags.check_literal(str(spec.var))
    except ValueError as error:
        raise TemplateSyntaxError(f"{name}: {error}") from error
    return LazyImageNode(name, file, spec, arguments, target)


for _name in tags.TAGS:
    register.tag(_name, _compile)
