"""Jinja2: the tags as globals, and as statements by an extension.

`Environment(extensions=["lazyimages.jinja.LazyImagesExtension"])` gives every tag both ways, as in
`{{ srcset(product.photo, "360x270 480h") }}` and `{% srcset product.photo "360x270 480h" %}`; with
`block_start_string="<%"` and `block_end_string="%>"` the latter is `<% srcset … %>`.
"""

from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from lazyimages import tags


class LazyImagesExtension(Extension):
    """Adds the tags to an environment."""

    tags = set(tags.TAGS)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update({name: _global(name) for name in tags.TAGS})

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse `tag image spec name=value … [as name]`."""
        token = next(parser.stream)
        name, line = token.value, token.lineno
        try:
            file, spec = (self._operand(name, parser) for _ in range(2))
            arguments = self._arguments(parser)
            target = None
            if parser.stream.skip_if("name:as"):
                target = parser.parse_assign_target(with_tuple=False)
            rest = "" if parser.stream.current.type == "block_end" else str(parser.stream.current.value)
            tags.check_arguments(name, [argument.key for argument in arguments], rest)
            if isinstance(spec, nodes.Const) and isinstance(spec.value, str):
                tags.check_literal(spec.value)
        except ValueError as error:
            raise TemplateSyntaxError(f"{name}: {error}", line, parser.name, parser.filename) from error
        # Called by name through the extension, so that a template variable named `img` is not in the way.
        call = self.call_method("_print", [nodes.Const(name), file, spec], arguments, lineno=line)
        if target is not None:
            return nodes.Assign(target, call, lineno=line)
        return nodes.Output([nodes.MarkSafe(call)], lineno=line)

    def _print(self, name: str, file: Any, spec: Any, /, **arguments: Any) -> Any:
        return _global(name)(file, spec, **arguments)

    @staticmethod
    def _operand(name: str, parser: Parser) -> nodes.Expr:
        token = parser.stream.current
        if token.type == "block_end" or token.test("name:as"):
            raise ValueError(tags.USAGE.format(name=name))
        if token.type == "string" and parser.stream.look().type == "string":
            next(parser.stream)  # alone: Jinja would join neighbouring strings to one
            return nodes.Const(token.value, lineno=token.lineno)
        return parser.parse_unary()

    @staticmethod
    def _arguments(parser: Parser) -> list[nodes.Keyword]:
        found = []
        while parser.stream.current.type == "name" and parser.stream.look().type == "assign":
            key = next(parser.stream).value
            next(parser.stream)
            found.append(nodes.Keyword(key, parser.parse_unary()))
        return found


def _global(name: str) -> Any:
    def call(file: Any, spec: Any, /, **arguments: Any) -> Markup:
        return Markup(tags.TAGS[name](file, spec, **arguments))  # noqa: S704  # escaped by markup

    call.__name__ = name
    return call
