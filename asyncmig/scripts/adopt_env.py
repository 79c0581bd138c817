"""asyncmig_env.py from Alembic's env.py, through its syntax tree: env.py is never run.

The module-level statements stay as they are written, with their comments, because they are the application's own. What
runs migrations goes; what it told Alembic becomes the Environment at the end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asyncmig.errors import ScriptError
from asyncmig.scripts.adopt_calls import RunnerCalls, Value
from asyncmig.scripts.adopt_module import EnvModule
from asyncmig.scripts.adopt_source import AlembicProject

__all__ = ["ConvertedEnv", "convert_env"]

_CARRIED = (
    "target_metadata",
    "include_object",
    "include_name",
    "include_schemas",
    "compare_type",
    "compare_server_default",
    "render_item",
    "version_table",
    "version_table_schema",
)
# What only says how Alembic is to run, or what asyncmig does by itself.
_WITHOUT_MEANING = frozenset(
    {
        "as_sql",
        "connection",
        "dialect_name",
        "dialect_opts",
        "downgrade_token",
        "literal_binds",
        "output_buffer",
        "render_as_batch",
        "starting_rev",
        "tag",
        "template_args",
        "transaction_per_migration",
        "transactional_ddl",
        "upgrade_token",
        "url",
    }
)
_ELSEWHERE = {
    "process_revision_directives": "asyncmig calls on_autogenerate instead, with operations of its own",
    "on_version_apply": "asyncmig calls before_step and after_step instead, with one value",
    "alembic_module_prefix": "asyncmig's template decides how scripts import op",
    "sqlalchemy_module_prefix": "asyncmig's template decides how scripts import sqlalchemy",
    "user_module_prefix": "asyncmig imports the types that it renders",
    "version_table_pk": "asyncmig's version table always has a primary key; yours stays as it is",
    "autogenerate_plugins": "asyncmig compares by itself",
}
_MARK = "# asyncmig: not carried over:"


@dataclass(frozen=True, slots=True)
class ConvertedEnv:
    """`version_table` and its schema stand here, and not in the text, where env.py gives plain strings."""

    text: str
    notes: tuple[str, ...] = ()
    gives_url: bool = False
    version_table: str | None = None
    version_table_schema: str | None = None


def convert_env(source: AlembicProject, path: Path) -> ConvertedEnv:
    """ScriptError, with the line, for an env.py that is missing or is not Python."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=str(path))
    except OSError as error:
        raise ScriptError(f"env.py cannot be read: {error.strerror}.", path=path) from error
    except SyntaxError as error:
        raise ScriptError(f"env.py is not valid Python: {error.msg}.", path=path, line=error.lineno) from error
    return _Conversion(source, EnvModule(text, tree)).result()


class _Conversion:
    """One conversion; `fields` are the keywords of the Environment, `marked` what could not be carried over."""

    def __init__(self, source: AlembicProject, module: EnvModule) -> None:
        self.source = source
        self.module = module
        self.calls = RunnerCalls(module, loop_name="name" if source.databases else None)
        self.fields: dict[str, str] = {}
        self.options: dict[str, str] = {}
        self.marked: dict[str, str] = {}
        self.version: dict[str, str] = {}

    def result(self) -> ConvertedEnv:
        for name, value in self.calls.configured(unread={*_WITHOUT_MEANING, *_ELSEWHERE}).items():
            self._keyword(name, value)
        for text in self.calls.unpacked():
            self.marked[text] = "its keywords are known only when it runs"
        url = self.calls.url()
        if url is not None:
            self.fields["url"] = url
        elif self.calls.unknown_url is not None:
            self.marked[self.calls.unknown_url] = "give the database as url= or engine=, or in asyncmig.toml"
        arguments = self.calls.script_arguments()
        if arguments:
            self.fields["script_arguments"] = _mapping(arguments)
        if self.options:
            self.fields["options"] = _mapping(self.options)
        text = self._text()
        return ConvertedEnv(
            text,
            tuple(f"env.py: {what} is not carried over: {why}." for what, why in self.marked.items()),
            url is not None,
            self.version.get("version_table"),
            self.version.get("version_table_schema"),
        )

    def _keyword(self, name: str, value: Value) -> None:
        if name in _WITHOUT_MEANING:
            return
        if name in _ELSEWHERE:
            self.marked[f"{name}={value.written}"] = _ELSEWHERE[name]
        elif value.text is None:
            self.marked[f"{name}={value.written}"] = "it is known only while Alembic runs"
        elif name in ("version_table", "version_table_schema") and value.constant is not None:
            self.version[name] = value.constant
        elif name in _CARRIED:
            self.fields[name] = value.text
        else:
            self.options[name] = value.text

    def _text(self) -> str:
        # First the tail, because it decides which of the module's imports are still used.
        tail = "\n".join(self._tail())
        uses_context = self.calls.loop_name is not None
        body = self.module.kept(tail, lifted=self.calls.lifted)
        imports = "from asyncmig import Context, Environment" if uses_context else "from asyncmig import Environment"
        text = "\n".join(
            (
                "# Written by `asyncmig adopt` from env.py, which Alembic goes on using. asyncmig reads this file instead.",
                "",
                body.with_import(imports),
                *(f"\n\n{function}" for function in self.calls.lifted.values()),
                *([""] if self.calls.loop_name is None and not self.calls.lifted else ["", ""]),
                tail,
                "",
            )
        )
        ast.parse(text)
        return text

    def _tail(self) -> Iterator[str]:
        for what, why in self.marked.items():
            yield f"{_MARK} {why}."
            yield from (f"#     {line}" for line in what.splitlines())
        fields = [f"{name}={value}," for name, value in self.fields.items()]
        if self.calls.loop_name is None:
            yield "environment = Environment("
            yield from (f"    {field}" for field in fields)
            yield ")"
            return
        yield "def environment(run: Context) -> Environment:"
        yield '    """Asked once a run, of the database that -n chose."""'
        yield f"    {self.calls.loop_name} = run.config.name"
        yield "    return Environment("
        yield from (f"        {field}" for field in fields)
        yield "    )"


def _mapping(values: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {text}' for name, text in values.items()) + "}"
