"""`Model`: the base class of all models; each declares its attributes once, as `Partition` does.

From the declarations `Model` derives the checks and the names of the 2019 SDK (`swagger_types`, `attribute_map`,
`to_dict`, `to_str`) when the class is created, and the constructor when it is first called.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Callable, ClassVar, NamedTuple

from .. import redaction

if TYPE_CHECKING:
    import inspect

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):
        return lambda cls: cls


class Attribute(NamedTuple):
    """One attribute of a model, as declared."""

    name: str
    type: str
    key: str
    default: Any
    required: bool
    allowed: tuple[Any, ...]
    secret: bool
    promised: bool
    doc: str

    def check(self, value: Any) -> Any:
        """Return `value`, or raise a ValueError with the attribute's name if it is not allowed."""
        if self.required and value is None:
            raise ValueError(f"Invalid value for `{self.name}`, must not be `None`")
        if self.allowed and value not in self.allowed:
            shown = redaction.mask(value) if self.secret else value
            raise ValueError(f"Invalid value for `{self.name}` ({shown}), must be one of {list(self.allowed)}")
        return value


def attribute(
    *,
    default: Any = None,
    key: str | None = None,
    required: bool = False,
    allowed: tuple[Any, ...] = (),
    secret: bool = False,
    promised: bool = False,
    doc: str,
) -> Any:
    """Declare an attribute of a model.

    default: the default of the constructor's argument. Type checkers treat the argument as required without it.
    key: its name in JSON, if that differs.
    required: whether None raises a ValueError.
    allowed: the allowed values; any other value raises a ValueError.
    secret: whether text shows `***` instead of the value.
    promised: whether a response without a non-empty string here raises an ApiResponseError.
    doc: its meaning in a sentence.
    """
    return Attribute("", "", key or "", default, required, allowed, secret, promised, doc)


class _SignatureOfConstructor:
    """The signature of a class whose constructor has not been compiled, for `help()` and editors."""

    def __get__(self, instance: Model | None, cls: type[Model]) -> inspect.Signature:
        import inspect

        signature = inspect.signature(_constructor(cls))
        return signature.replace(parameters=list(signature.parameters.values())[1:])


@dataclass_transform(field_specifiers=(attribute,), eq_default=False)
class Model:
    """A model: compared by value, convertible to a dictionary, and without secrets in its text.

    Values are plain attributes. Fields of a response that the model does not declare are in `additional_properties`.
    """

    swagger_types: ClassVar[dict[str, str]] = {}
    attribute_map: ClassVar[dict[str, str]] = {}
    discriminator: ClassVar[str | None] = None
    attributes: ClassVar[tuple[Attribute, ...]] = ()
    is_as_declared: ClassVar[bool] = True  # without a constructor or names that a program added
    _secrecy: ClassVar[dict[str, bool]] = {}
    __signature__ = _SignatureOfConstructor()

    if TYPE_CHECKING:

        @property
        def additional_properties(self) -> dict[str, Any]:
            """The fields of the response that the model does not declare, by their JSON keys."""
            raise NotImplementedError

    def __init_subclass__(cls) -> None:
        declared = [
            stated._replace(name=name, type=_swagger_type(_source(annotation)), key=stated.key or name)
            for name, annotation in _own_annotations(cls).items()
            if isinstance(stated := vars(cls).get(name), Attribute)
        ]
        cls.attributes = (*cls.attributes, *declared)
        cls._secrecy = {a.name: a.secret for a in cls.attributes}
        own = {"__init__", "swagger_types", "attribute_map"}
        mixed_in = (base for base in cls.__mro__[1:-1] if not issubclass(base, Model))
        cls.is_as_declared = cls.is_as_declared and all(own.isdisjoint(vars(base)) for base in (cls, *mixed_in))
        if declared:
            cls.swagger_types = {**{a.name: a.type for a in cls.attributes}, **vars(cls).get("swagger_types", {})}
            cls.attribute_map = {**{a.name: a.key for a in cls.attributes}, **vars(cls).get("attribute_map", {})}
        for a in declared:
            # Without a rule the value is read from the instance's own dictionary: a property would only cost time.
            setattr(cls, a.name, _checked_property(a) if a.required or a.allowed else None)
        if declared and "__init__" not in vars(cls):
            cls.__init__ = _compiled_when_called(cls)  # type: ignore[method-assign]

    @classmethod
    def is_secret(cls, name: str) -> bool:
        """Return whether the values of the attribute are masked in text."""
        return cls._secrecy[name] if name in cls._secrecy else name.lower() in redaction.SECRET_NAMES

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes by name, with nested models as dictionaries. Secrets are not masked."""
        return {name: _plain(getattr(self, name)) for name in self.swagger_types}

    def to_str(self) -> str:
        """Return `to_dict()` as text, with every secret masked."""
        from pprint import pformat

        return pformat(_shown(self))

    __repr__ = to_str

    def __eq__(self, other: object) -> bool:
        is_of_the_kind = isinstance(other, type(self)) or (isinstance(other, Model) and isinstance(self, type(other)))
        return is_of_the_kind and self.__dict__ == other.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The 2019 SDK stored its values as `_name`, and also `discriminator`.
        self.__dict__["additional_properties"] = {}
        self.__dict__.update((name.lstrip("_"), value) for name, value in state.items() if name != "discriminator")


def _own_annotations(cls: type[Model]) -> dict[str, Any]:
    """Return the annotations of the class without those of its bases, as strings or (Python 3.9 to 3.13) as objects."""
    # Python 3.14 evaluates annotations lazily unless the module imports them from `__future__`. As strings they may
    # name a class that does not exist yet, such as the one being made.
    if sys.version_info >= (3, 14) and "__annotations__" not in vars(cls):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    annotations: dict[str, Any] = vars(cls).get("__annotations__", {})
    return annotations


def _source(annotation: Any) -> str:
    """Return an annotation as it is written in source code, with class names unqualified."""
    if isinstance(annotation, str):
        return annotation
    # A `typing.ForwardRef`, a class, an object of `typing` (`_name` on Python 3.9), or `int | None`, which has no name.
    names = (getattr(annotation, name, None) for name in ("__forward_arg__", "__name__", "_name"))
    name = next(filter(None, names), "Union")
    arguments = ", ".join(map(_source, getattr(annotation, "__args__", ())))
    return f"{name}[{arguments}]" if arguments else name


# Most types need no parser, and importing `ast` would add a tenth to the time that importing the package takes.
_PLAIN_TYPE = re.compile(r"((?!Any\b)\w+|list\[(?!Any\b)\w+\])( \| None)?")
_SWAGGER_NAMES = {"Any": "object", "List": "list", "Dict": "dict", "None": "", "NoneType": ""}


def _swagger_type(source: str) -> str:
    """Return the 2019 SDK's name of a type, such as `dict(str, int)` for `Optional[Dict[str, int]]`."""
    if plain := _PLAIN_TYPE.fullmatch(source):
        return plain[1]
    import ast

    def named(node: ast.expr) -> str:
        """Return the name, which is empty for None."""
        if isinstance(node, ast.Constant):
            return _swagger_type(node.value) if isinstance(node.value, str) else ""
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            return _SWAGGER_NAMES.get(name, name)
        if isinstance(node, ast.BinOp):
            return named(node.left) or named(node.right)
        if not isinstance(node, ast.Subscript):
            return ast.unparse(node)  # such as `dict(str, int)`, which is the 2019 SDK's name already
        generic = named(node.value)
        arguments = [named(part) for part in (node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice])]
        if generic in ("Optional", "Union", "Annotated"):
            return next(filter(None, arguments), "")
        listed = ", ".join(arguments)
        return {"list": f"list[{listed}]", "dict": f"dict({listed})"}.get(generic, generic)

    return named(ast.parse(source.strip(), mode="eval").body)


def _checked_property(attribute: Attribute) -> property:
    def assign(self: Model, value: Any) -> None:
        self.__dict__[attribute.name] = attribute.check(value)

    return property(lambda self: self.__dict__.get(attribute.name), assign, doc=attribute.doc)


def _compiled_when_called(cls: type[Model]) -> Callable[..., None]:
    """Return a constructor that is compiled when it is called, which saves a third of the package's import time."""

    def construct(self: Model, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = _constructor(cls)  # type: ignore[method-assign]
        try:
            cls.__init__(self, *args, **kwargs)
        except (TypeError, ValueError):
            del args, kwargs  # a traceback with variables would show them
            raise

    return construct


def _constructor(cls: type[Model]) -> Callable[..., None]:
    # Written out and compiled, as dataclasses do: help() and error messages show real arguments, at full speed.
    defaults = {f"_{a.name}": a.default for a in cls.attributes}
    lines = [f"def __init__(self{''.join(f', {a.name}=_{a.name}' for a in cls.attributes)}):"]
    lines += ["    values = self.__dict__", "    values['additional_properties'] = {}", "    try:"]
    for a in cls.attributes:
        # As in the 2019 SDK, None given to the constructor skips the rule of allowed values.
        checked = f"None if {a.name} is None else check_{a.name}({a.name})" if a.allowed else a.name
        value = f"check_{a.name}({a.name})" if a.required else checked
        lines.append(f"        values[{a.name!r}] = {value}")
    # A traceback with variables would show them.
    arguments = "".join(f", {a.name}" for a in cls.attributes)
    lines += ["        return", "    except ValueError:", f"        del values{arguments}", "        raise"]
    namespace: dict[str, Any] = {
        "__name__": __name__,
        **defaults,
        **{f"check_{a.name}": a.check for a in cls.attributes},
    }
    exec("\n".join(lines), namespace)
    constructor: Callable[..., None] = namespace["__init__"]
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    in_python = str.maketrans("()", "[]")  # `dict(str, int)` is the 2019 SDK's name for `dict[str, int]`
    constructor.__annotations__ = {a.name: f"{a.type.translate(in_python)} | None" for a in cls.attributes}
    return constructor


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.to_dict() if hasattr(value, "to_dict") else value


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if not isinstance(value, Model):
        return redaction.redact(value)
    values = ((name, getattr(value, name, None)) for name in value.swagger_types)
    return {name: redaction.mask(held) if value.is_secret(name) else _shown(held) for name, held in values}
