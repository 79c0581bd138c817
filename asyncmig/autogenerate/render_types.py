"""Column types as the Python that makes them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import conv

from asyncmig.autogenerate.render_code import Atom, Call, Keyword, Node, call, keywords, literal, string
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable
from asyncmig.autogenerate.render_sql import inner_text
from asyncmig.schema.spelling import spell_type
from asyncmig.schema.types import DIALECTS, SqlType, sql_text

__all__ = ["render_type"]

_LIBRARIES = frozenset({"sqlalchemy", "builtins", "typing"})

# Parameters that say what Python sees of a value: nothing of a schema, and mostly not literals.
_PYTHON_ONLY = frozenset(
    {"astext_type", "pickler", "comparator", "impl", "asdecimal", "decimal_return_scale", "as_uuid", "as_tuple"}
    | {"none_as_null", "protocol", "native_uuid", "_adapted_from", "second_precision", "day_precision", "native"}
)


def render_type(type_: SqlType, context: RenderContext) -> Node:
    """`sa.String(length=50)`, `postgresql.JSONB()`, `Money()` with its import."""
    return _Types(context).render(type_.engine, apart=type_.apart)


@dataclass(frozen=True, slots=True)
class _Types:
    context: RenderContext

    def render(self, engine: Any, *, apart: bool = False) -> Node:
        custom = self.context.custom("type", engine)
        if custom is not None:
            return custom
        made = self._without_variants(engine, apart)
        for dialect, variant in engine._variant_mapping.items():
            if isinstance(made, Call):
                made = call(made, self.render(variant), string(dialect), attribute="with_variant")
        return made

    def _without_variants(self, engine: Any, apart: bool) -> Node:
        kind = type(engine)
        if kind.__module__.startswith("sqlalchemy.dialects."):
            return self._of_dialect(engine, kind)
        if kind is sa.Enum:
            return self._enum(engine, apart)
        if kind.__module__.startswith("sqlalchemy."):
            return Call(f"sa.{_public(kind)}", self._arguments(engine))
        return self._of_application(engine, kind)

    def _of_dialect(self, engine: Any, kind: type) -> Node:
        dialect = kind.__module__.split(".")[2]
        generic = getattr(sa, kind.__name__, None)
        if dialect == "sqlite" and generic is not None and _is_same(engine, generic):
            return call(f"sa.{kind.__name__}")  # SQLite's own differ in Python only
        prefix = self.context.imports.name("sqlalchemy.dialects", dialect)
        if isinstance(engine, sa.Enum):
            create = Keyword("create_type=", Atom("False")) if not getattr(engine, "create_type", True) else None
            return Call(f"{prefix}.{kind.__name__}", (*self._enum_arguments(engine), *filter(None, [create])))
        if kind.__visit_name__ == "DOMAIN":  # type: ignore[attr-defined]
            return Call(f"{prefix}.DOMAIN", self._domain(engine))
        return Call(f"{prefix}.{kind.__name__}", self._arguments(engine))

    def _enum(self, engine: sa.Enum, apart: bool) -> Node:
        """One that is created by itself must not be created by the column: only PostgreSQL's own type can say so."""
        if apart and engine.native_enum and self.context.enum_types:
            prefix = self.context.imports.name("sqlalchemy.dialects", "postgresql")
            return Call(f"{prefix}.ENUM", (*self._enum_arguments(engine), Keyword("create_type=", Atom("False"))))
        return Call("sa.Enum", self._enum_arguments(engine))

    def _enum_arguments(self, engine: sa.Enum) -> tuple[Node, ...]:
        native = bool(engine.native_enum)
        longest = max((len(value) for value in engine.enums), default=0)
        length = getattr(engine, "length", None)
        return (
            *(string(value) for value in engine.enums),
            *keywords(
                name=_type_name(engine.name),
                schema=string(engine.schema) if engine.schema else None,
                native_enum=None if native else Atom("False"),
                create_constraint=Atom("True") if engine.create_constraint else None,
                length=Atom(str(length)) if not native and length and length > longest else None,
            ),
        )

    def _domain(self, engine: Any) -> tuple[Node, ...]:
        check = None if engine.check is None else sql_text(getattr(engine.check, "sqltext", engine.check))
        default = engine.default
        return (
            string(engine.name),
            self.render(engine.data_type),
            *keywords(
                schema=string(engine.schema) if engine.schema else None,
                collation=string(engine.collation) if engine.collation else None,
                default=None if default is None else _domain_text(default, self.context),
                constraint_name=string(engine.constraint_name) if engine.constraint_name else None,
                not_null=Atom("True") if engine.not_null else None,
                check=None if check is None else string(inner_text(check, self.context.dialect)),
                create_type=None if engine.create_type else Atom("False"),
            ),
        )

    def _of_application(self, engine: Any, kind: type) -> Node:
        """A type that a module defines: imported, called with as little as makes the same SQL."""
        if "<locals>" in kind.__qualname__ or not _is_importable(kind):
            return self._underneath(engine)
        outer, dot, rest = kind.__qualname__.partition(".")
        name = self.context.imports.name(kind.__module__, outer) + dot + rest
        if isinstance(engine, sa.Enum):
            return Call(name, self._enum_arguments(engine))
        if _is_same(engine, kind):
            return Call(name)
        if any(_is_unknown(engine, parameter) for parameter in _parameters(engine).values()):
            return self._underneath(engine)
        return Call(name, self._arguments(engine))

    def _underneath(self, engine: Any) -> Node:
        """What a type without an address becomes in the database."""
        if isinstance(engine, sa.types.TypeDecorator):
            return self.render(engine.impl_instance)
        raise Unrenderable(
            f"The type {type(engine).__qualname__} of {type(engine).__module__} cannot be imported by a script.",
            hint="Define it at the top of a module, or tell render_item in env.py how to write it.",
        )

    def _arguments(self, engine: Any) -> tuple[Node, ...]:
        return tuple(self._each_argument(engine))

    def _each_argument(self, engine: Any) -> Iterator[Node]:
        """The parameters of its __init__ whose attribute differs from the default."""
        for name, parameter in _parameters(engine).items():
            holder = engine if hasattr(engine, name) else getattr(engine, "impl_instance", engine)
            value = getattr(holder, name, parameter.default)
            required = parameter.default is parameter.empty
            if name == "impl" and not required and _has_own_impl(engine):
                yield Keyword("impl=", self.render(engine.impl_instance))
                continue
            if not required and (name in _PYTHON_ONLY or value is None or value == parameter.default):
                continue
            node = self._value(name, value)
            if node is not None:
                yield node if required and parameter.kind is not parameter.KEYWORD_ONLY else Keyword(f"{name}=", node)

    def _value(self, name: str, value: Any) -> Node | None:
        if isinstance(value, type) and issubclass(value, sa.types.TypeEngine):
            value = value()
        if isinstance(value, type) and _is_importable(value):
            outer, dot, rest = value.__qualname__.partition(".")
            return Atom(self.context.imports.name(value.__module__, outer) + dot + rest)
        if isinstance(value, sa.types.TypeEngine):
            return self.render(value)
        return _type_name(value) if name == "name" else literal(value)


def _is_unknown(engine: Any, parameter: inspect.Parameter) -> bool:
    """Whether the constructor wants what the type does not keep under the same name."""
    return parameter.default is parameter.empty and not (
        hasattr(engine, parameter.name) or hasattr(getattr(engine, "impl_instance", None), parameter.name)
    )


def _has_own_impl(engine: Any) -> bool:
    """Whether a TypeDecorator was given another type to stand on than its class names."""
    if not isinstance(engine, sa.types.TypeDecorator):
        return False
    usual = type(engine).impl
    usual = usual() if isinstance(usual, type) else usual
    return any(spell_type(usual, name) != spell_type(engine.impl_instance, name) for name in DIALECTS)


def _parameters(engine: Any) -> dict[str, inspect.Parameter]:
    """By name, those of base classes too as long as **keywords lead there."""
    found: dict[str, inspect.Parameter] = {}
    classes = list(type(engine).__mro__)
    if isinstance(engine, sa.types.TypeDecorator) and not _has_own_init(engine):
        classes = list(type(engine.impl_instance).__mro__)
    for kind in classes:
        if "__init__" not in kind.__dict__ or kind is object:
            continue
        parameters = list(inspect.signature(kind.__dict__["__init__"]).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _has_own_init(engine: Any) -> bool:
    foreign = (kind for kind in type(engine).__mro__ if kind.__module__.partition(".")[0] not in _LIBRARIES)
    return any("__init__" in kind.__dict__ for kind in foreign)


def _is_same(engine: Any, make: Any) -> bool:
    try:
        other = make()
    except Exception:  # a project's own constructor may raise anything; then it wants arguments
        return False
    return all(spell_type(engine, name) == spell_type(other, name) for name in DIALECTS)


def _is_importable(kind: type) -> bool:
    """Whether `from module import name` finds it again: not for classes of a __main__ script or a function."""
    if kind.__module__ in ("__main__", "builtins"):
        return False
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind


def _public(kind: type) -> str:
    return kind.__name__ if hasattr(sa, kind.__name__) else f"types.{kind.__name__}"


def _type_name(name: Any) -> Node | None:
    if name is None or not isinstance(name, str):
        return None
    return call("op.f", string(name)) if isinstance(name, conv) else string(name)


def _domain_text(default: Any, context: RenderContext) -> Node:
    if isinstance(default, str):
        return string(default)
    return call("sa.text", string(inner_text(sql_text(default), context.dialect)))
