"""Registries of functions by class, in which plug-ins leave their renderers and comparators."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

__all__ = ["DispatchPriority", "Dispatcher", "PriorityDispatchResult", "PriorityDispatcher"]

F = TypeVar("F", bound=Callable[..., Any])


class DispatchPriority(IntEnum):
    """Where a function of a PriorityDispatcher stands among the others."""

    FIRST = 50
    MEDIUM = 25
    LAST = 10


class PriorityDispatchResult(IntEnum):
    """What a comparator says to those that come after it."""

    CONTINUE = 0
    STOP = 1


class Dispatcher:
    """One function for a class (or a word) and a qualifier such as a dialect's name."""

    def __init__(self, uselist: bool = False) -> None:
        self.uselist = uselist
        self._functions: dict[tuple[Any, str], list[Callable[..., Any]]] = {}

    def dispatch_for(
        self, target: Any, qualifier: str = "default", replace: bool = False, **_: Any
    ) -> Callable[[F], F]:
        """Decorator that registers the function; ValueError where there is one and `replace` is not said."""

        def register(function: F) -> F:
            known = self._functions.setdefault((target, qualifier), [])
            if known and not self.uselist and not replace:
                raise ValueError(f"{target!r} has a function already")
            if replace:
                known.clear()
            known.append(function)
            return function

        return register

    def dispatch(self, obj: Any, qualifier: str = "default") -> Callable[..., Any]:
        """The function for an object, by its class and that one's bases; ValueError where there is none."""
        for key in self._keys(obj):
            found = self._functions.get((key, qualifier)) or self._functions.get((key, "default"))
            if found and self.uselist:
                return _all_of(tuple(found))
            if found:
                return found[-1]
        raise ValueError(f"no function for {obj!r}")

    def has_dispatch(self, obj: Any, qualifier: str = "default") -> bool:
        return any(self._functions.get((key, qualifier)) for key in self._keys(obj))

    def branch(self) -> Dispatcher:
        """A copy that can be added to."""
        copy = type(self)(self.uselist)
        copy._functions = {key: list(functions) for key, functions in self._functions.items()}
        return copy

    @staticmethod
    def _keys(obj: Any) -> tuple[Any, ...]:
        if isinstance(obj, str):
            return (obj,)
        return (obj if isinstance(obj, type) else type(obj)).__mro__


class PriorityDispatcher(Dispatcher):
    """All functions for a word, those of higher priority first."""

    def __init__(self, uselist: bool = True) -> None:
        super().__init__(uselist=True)
        self._priorities: dict[int, int] = {}

    def dispatch_for(
        self,
        target: Any,
        qualifier: str = "default",
        replace: bool = False,
        *,
        priority: int = DispatchPriority.MEDIUM,
        **_: Any,
    ) -> Callable[[F], F]:
        def register(function: F) -> F:
            super(PriorityDispatcher, self).dispatch_for(target, qualifier, replace)(function)
            self._priorities[id(function)] = priority
            functions = self._functions[target, qualifier]
            functions.sort(key=lambda one: -self._priorities[id(one)])
            return function

        return register


def _all_of(functions: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> None:
        for function in functions:
            function(*arguments, **keywords)

    return call
