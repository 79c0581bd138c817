"""What a script says about itself, read without importing it.

Three ways, each exact, the cheapest that is sure: a pattern over the first lines, the syntax tree, and, where a value
is computed, an import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from asyncmig.errors import ScriptError
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.module import import_script, read_source

if TYPE_CHECKING:
    import ast

__all__ = ["NAMES", "Header", "as_names", "assignment_line", "parse_header", "read_header", "revision_of"]

NAMES = ("revision", "down_revision", "branch_labels", "depends_on")

_STRING = r"""(?:"[^"\\\n]*"|'[^'\\\n]*')"""
_ITEMS = rf"\s*(?:{_STRING}\s*,\s*)*(?:{_STRING}\s*)?"
_VALUE = rf"(?:None|{_STRING}|\({_ITEMS}\)|\[{_ITEMS}\])"
_REST_OF_LINE = r"[ \t]*(?:\#[^\n]*)?(?:\n|\Z)"
_ASSIGNMENT = rf"(?:{'|'.join(NAMES)})[ \t]*(?::[^=\n#]*)?=[ \t]*{_VALUE}{_REST_OF_LINE}"
# An import that could bind one of our names, or a star, is for the syntax tree.
_OTHER = r"r(?!evision)|b(?!ranch_labels)|d(?!epends_on)"
_IMPORT = (
    rf"(?:import|from)[ \t](?:[^\n(\\;\"'#rbd*]++|{_OTHER})++"
    rf"(?:\((?:[^)\"'\\rbd*]++|{_OTHER})*+\))?{_REST_OF_LINE}"
)
_BLANK = r"[ \t]*(?:\#[^\n]*)?\n"
_DOCSTRING = (
    r'(?:"""(?P<doc>[^\\"]*+(?:"{1,2}+[^\\"]++)*+)"""'
    r"|'''(?P<doc_single>[^\\']*+(?:'{1,2}+[^\\']++)*+)''')"
)
# Possessive (Python 3.11): half the time, and no part has to give back what it took. No group is captured inside of one:
# early versions crash there (python/cpython issue 101955).
_TOP = re.compile(rf"(?:{_BLANK})*+(?:{_DOCSTRING}{_REST_OF_LINE})?(?P<head>(?:{_BLANK}|{_IMPORT}|{_ASSIGNMENT})*+)")
_ONE_ASSIGNMENT = re.compile(rf"^({'|'.join(NAMES)})[ \t]*(?::[^=\n#]*)?=[ \t]*({_VALUE})", re.MULTILINE)
_QUOTED = re.compile(_STRING)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_CREATE_DATE = re.compile(r"^[ \t]*Create Date:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_LEGACY_NAME = re.compile(r"[a-f0-9]+")


@dataclass(frozen=True, slots=True)
class Header:
    """The four names and the docstring of a script, values as tuples; `revision` None when it assigns none.

    `computed` when they came from running the script: the same text may say something else another time.
    """

    revision: str | None
    down_revisions: tuple[str, ...]
    branch_labels: tuple[str, ...]
    depends_on: tuple[str, ...]
    doc: str
    computed: bool = False

    @property
    def message(self) -> str:
        """The first paragraph, on one line."""
        return " ".join(self.doc.partition("\n\n")[0].split())

    @property
    def create_date(self) -> str | None:
        found = _CREATE_DATE.search(self.doc)
        return found[1] if found else None


def revision_of(header: Header, path: Path) -> Revision:
    """The revision that the script at `path` declares; ScriptError when it declares none."""
    identifier = header.revision
    if identifier is None:
        # Scripts from before revision ids were variables are named after them.
        if not _LEGACY_NAME.fullmatch(path.stem):
            raise ScriptError(
                "There is no `revision = ...` in this file.",
                path=path,
                hint="A folder of revisions holds only revision scripts; move helper modules elsewhere.",
            )
        identifier = path.stem
    return Revision(
        identifier,
        header.down_revisions,
        header.depends_on,
        header.branch_labels,
        header.message,
        header.doc,
        header.create_date,
        path,
    )


def read_header(path: Path) -> Header:
    """The header of one script. ScriptError for a file that cannot be read, parsed, or that holds wrong values."""
    source = read_source(path)
    return _by_pattern(source) or _by_tree(source, path) or _by_import(path, source)


def parse_header(source: bytes, path: Path) -> Header:
    """The header of a text that is no file yet; `path` is what errors name. ScriptError too for a computed value."""
    header = _by_tree(source, path)
    if header is None:
        raise ScriptError("The header of the script is computed, not written.", path=path)
    return header


def assignment_line(path: Path, name: str) -> int | None:
    """The line on which a script assigns `name`, for messages: the first that looks like it."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    pattern = re.compile(rf"\s*{name}\s*(?::[^=]*)?=")
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), None)


# -- by pattern -------------------------------------------------------------------------------------------------------


def _by_pattern(source: bytes) -> Header | None:
    """The header when the file begins as scripts do and mentions the names nowhere else; None when in doubt.

    In doubt means: another encoding, escapes, a value that is more than strings, anything but comments and imports
    between docstring and assignments, or one of the names further down, where it might be assigned again.
    """
    text = _decoded(source)
    if text is None:
        return None
    top = _TOP.match(text)
    if top is None:
        return None
    end = top.end()
    if text.find("revision", end) >= 0 or text.find("branch_labels", end) >= 0 or text.find("depends_on", end) >= 0:
        return None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in _ONE_ASSIGNMENT.findall(top["head"]):
        if value == "None":
            found[name] = ()
        elif value[0] in "\"'":
            found[name] = (value[1:-1],)
        else:
            found[name] = tuple([quoted[1:-1] for quoted in _QUOTED.findall(value)])
    if len(found.get("revision", ())) != 1 or "down_revision" not in found:
        return None
    doc = top["doc"] or top["doc_single"] or ""
    return Header(
        found["revision"][0],
        found["down_revision"],
        found.get("branch_labels", ()),
        found.get("depends_on", ()),
        doc.strip(),
    )


def _decoded(source: bytes) -> str | None:
    beginning = source[:400]
    for line in beginning.split(b"\n", 2)[:2] if b"coding" in beginning else ():
        if (coding := _CODING.match(line)) and coding[1].lower() not in (b"utf-8", b"utf8"):
            return None
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


# -- by syntax tree ---------------------------------------------------------------------------------------------------


def _by_tree(source: bytes, path: Path) -> Header | None:
    """The header that the syntax tree shows; None when it is computed, conditional, or bound in another way."""
    import ast

    try:
        tree = ast.parse(source, filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ScriptError(f"The script is not valid Python: {reason}.", path=path, line=line) from error
    doc = (ast.get_docstring(tree, clean=False) or "").strip()
    nodes = _literal_assignments(tree)
    if nodes is None:
        return None
    values: dict[str, tuple[str, ...]] = {}
    for name, node in nodes.items():
        try:
            values[name] = as_names(name, ast.literal_eval(node), path, node.lineno)
        except (ValueError, TypeError):
            return None
    return _header(values, doc, path)


def _literal_assignments(tree: ast.Module) -> dict[str, ast.expr] | None:
    """The value that each of the names is assigned at the top level; None when something else may bind one of them."""
    import ast

    found: dict[str, ast.expr] = {}
    plain: set[ast.Name] = set()
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name() as target], value=value)
                | ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value)
            ) if target.id in NAMES:
                found[target.id] = value
                plain.add(target)
    for node in _module_scope(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in NAMES and node not in plain:
                return None
            case ast.alias(name=name, asname=asname) if name == "*" or (asname or name) in NAMES:
                if name != "*" or not found.keys() >= set(NAMES):
                    return None
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if name in NAMES:
                    return None
    return found


def _module_scope(tree: ast.Module) -> Iterable[ast.AST]:
    """Every node that runs in the module's own scope, and the functions and classes themselves."""
    import ast

    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _header(values: Mapping[str, tuple[str, ...]], doc: str, path: Path) -> Header:
    if "revision" in values and "down_revision" not in values:
        raise ScriptError(
            "There is no `down_revision = ...` in this file.",
            path=path,
            hint="A first revision says `down_revision = None`.",
        )
    revision = values.get("revision")
    if revision is not None and len(revision) != 1:
        raise ScriptError("`revision` must be one string.", path=path, line=assignment_line(path, "revision"))
    return Header(
        revision[0] if revision else None,
        values.get("down_revision", ()),
        values.get("branch_labels", ()),
        values.get("depends_on", ()),
        doc,
    )


# -- by import --------------------------------------------------------------------------------------------------------


def _by_import(path: Path, source: bytes) -> Header:
    module = import_script(path, source).module
    names = {name: getattr(module, name) for name in NAMES if hasattr(module, name)}
    values = {name: as_names(name, value, path, None) for name, value in names.items()}
    return replace(_header(values, (module.__doc__ or "").strip(), path), computed=True)


def as_names(name: str, value: object, path: Path, line: int | None) -> tuple[str, ...]:
    """A header value (string, None, or a collection of strings) as a tuple. ScriptError for anything else."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, tuple | list | set | frozenset):
        items = tuple(sorted(value, key=str) if isinstance(value, set | frozenset) else value)
        if all(isinstance(item, str) for item in items):
            return items
    raise ScriptError(
        f"`{name}` must be a string, None or a tuple of strings, not {value!r}.",
        path=path,
        line=line or assignment_line(path, name),
    )
