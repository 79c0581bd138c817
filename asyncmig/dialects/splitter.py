"""A text of SQL becomes its statements: cut at semicolons, never inside quotes, comments or bodies.

asyncpg and aiosqlite take one statement a call, and the journal counts statements, so a script's text is cut
as psql and the sqlite3 shell would cut it. One pattern for each database runs over everything that cannot
matter in one match and stops at quotes, comments, semicolons and the few words that open or close a body.

Parts come without their semicolon and without comments at their end (a line comment there would swallow the
semicolon that is put back in a file); comments before and inside a statement stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from asyncmig.errors import OperationError

__all__ = ["TransactionControl", "split_postgresql", "split_sqlite", "transaction_control"]

TransactionControl = Literal["begin", "commit", "rollback", "savepoint"]

_SPACE = " \t\r\n\f\v"
_GAP = r"(?:[ \t\r\n\f\v]|--[^\r\n]*+|/\*(?s:.*?)\*/)"
_WORD = r"[^\W\d][\w$]*+"
_TAG = r"\$(?:[^\W\d]\w*+)?\$"
_ESCAPED = r"'[^'\\]*+(?:(?:''|\\(?s:.))[^'\\]*+)*+(?:'|\Z)"

# In each pattern `plain` takes all that cannot matter, words whole, so that the E of `name'...'` opens nothing.
_POSTGRESQL = re.compile(
    rf"""
    (?: [^\w$'"/;()\-]++
      | (?! (?:begin|case|end)(?![\w$]) | e') {_WORD}
      | \d[\w$]*+
      | -(?!-)
      | /(?!\*)
      | \$(?!(?:[^\W\d]\w*+)?\$)
    )*+
    (?: (?P<semicolon> ; )
      | (?P<open> \( )
      | (?P<close> \) )
      | (?P<comment> --[^\r\n]*+ )
      | (?P<nested> /\* )
      | (?P<dollar> {_TAG} )
      | (?P<quoted>
            e{_ESCAPED} (?: [ \t\f\v]*+ [\r\n] [ \t\r\n\f\v]*+ {_ESCAPED} )*+
          | '[^']*+ (?: ''[^']*+ )*+ (?:'|\Z)
          | "[^"]*+ (?: ""[^"]*+ )*+ (?:"|\Z)
        )
      | (?P<word> begin|case|end )
      | (?P<other> e )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SQLITE = re.compile(
    rf"""
    (?: [^\w'"`\[/;\-]++
      | (?! end(?![\w$]) ) {_WORD}
      | \d[\w$]*+
      | -(?!-)
      | /(?!\*)
    )*+
    (?: (?P<semicolon> ; )
      | (?P<comment> --[^\n]*+ | /\*(?s:.*?)(?:\*/|\Z) )
      | (?P<quoted>
            '[^']*+ (?: ''[^']*+ )*+ (?:'|\Z)
          | "[^"]*+ (?: ""[^"]*+ )*+ (?:"|\Z)
          | `[^`]*+ (?: ``[^`]*+ )*+ (?:`|\Z)
          | \[[^\]]*+ (?:\]|\Z)
        )
      | (?P<word> end )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NESTING = re.compile(r"/\*|\*/")
_ROUTINE = re.compile(rf"create{_GAP}++(?:or{_GAP}++replace{_GAP}++)?(?:function|procedure)\b", re.IGNORECASE)
_TRIGGER = re.compile(
    rf"(?:explain{_GAP}++(?:query{_GAP}++plan{_GAP}++)?)?create{_GAP}++(?:temp(?:orary)?{_GAP}++)?trigger\b",
    re.IGNORECASE,
)
_COPY_IN = re.compile(
    rf"""copy{_GAP}++(?:[\w$.]|"[^"]*+"|[ \t]*+\.[ \t]*+)++{_GAP}*+(?:\([^)]*+\){_GAP}*+)?from{_GAP}++stdin\b""",
    re.IGNORECASE,
)
_TO_SAVEPOINT = rf"(?:{_GAP}++(?:work|transaction))?{_GAP}++to\b"
_CONTROL = re.compile(
    rf"""
    (?: (?P<none> (?:commit|rollback){_GAP}++prepared\b )
      | (?P<savepoint> savepoint\b | release\b | rollback{_TO_SAVEPOINT} )
      | (?P<begin> begin\b | start{_GAP}++transaction\b )
      | (?P<commit> commit\b | end\b | prepare{_GAP}++transaction\b )
      | (?P<rollback> rollback\b | abort\b )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)

_Token = tuple[str, int, int]
"""Kind, start and end."""


def split_postgresql(sql: str) -> list[str]:
    """The statements of a text for PostgreSQL; OperationError for COPY ... FROM STDIN, whose rows are no SQL."""
    parts = [sql.strip(_SPACE)] if _is_single(sql) else list(_postgresql_parts(sql))
    for part in parts:
        _refuse_copy(part)
    return [part for part in parts if part]


def split_sqlite(sql: str) -> list[str]:
    """The statements of a text for SQLite."""
    parts = [sql.strip(_SPACE)] if _is_single(sql) else list(_sqlite_parts(sql))
    return [part for part in parts if part]


def transaction_control(sql: str) -> TransactionControl | None:
    """What one statement does to the transaction, if that is its purpose; comments before it are skipped.

    ROLLBACK TO and RELEASE are "savepoint"; PREPARE TRANSACTION ends the session's transaction and is "commit".
    """
    match = _CONTROL.match(sql, _code_start(sql))
    match match and match.lastgroup:
        case "begin" | "commit" | "rollback" | "savepoint" as kind:
            return kind
        case _:
            return None


class _Piece:
    """The statement that is being read: where it starts and where the last code that is no comment ends."""

    __slots__ = ("code_end", "code_start", "edge", "sql", "start")

    def __init__(self, sql: str, start: int) -> None:
        self.sql = sql
        self.start = self.edge = start
        self.code_start: int | None = None
        self.code_end = start

    def code(self, end: int) -> None:
        """Code reaches up to `end`, if there is more than space since the last comment."""
        stretch = self.sql[self.edge : end].lstrip(_SPACE)
        if stretch:
            self.code_start = end - len(stretch) if self.code_start is None else self.code_start
            self.code_end = end

    def comment(self, start: int, end: int) -> None:
        self.code(start)
        self.edge = end

    def starts_with(self, head: re.Pattern[str], end: int) -> bool:
        """Whether the code of the piece, read up to `end`, starts like `head`."""
        if self.code_start is None:
            self.code(end)
        return self.code_start is not None and head.match(self.sql, self.code_start) is not None

    def finish(self, end: int) -> str:
        """The text of the statement; empty when it is only comments."""
        self.code(end)
        return "" if self.code_start is None else self.sql[self.start : self.code_end].strip(_SPACE)


def _postgresql_parts(sql: str) -> Iterator[str]:
    """psql's rules: no cut inside parentheses (CREATE RULE), nor in BEGIN ATOMIC ... END of a routine."""
    piece, parentheses, body = _Piece(sql, 0), 0, 0
    routine: bool | None = None
    for kind, start, end in _tokens(sql, _POSTGRESQL):
        if kind == "semicolon" and not parentheses and not body:
            yield piece.finish(start)
            piece, routine = _Piece(sql, end), None
        elif kind == "comment":
            piece.comment(start, end)
        elif kind == "open":
            parentheses += 1
        elif kind == "close":
            parentheses = max(parentheses - 1, 0)
        elif kind == "word" and not parentheses:
            if routine is None:
                routine = piece.starts_with(_ROUTINE, end)
            body = _body_depth(body, sql[start:end].lower()) if routine else 0
    yield piece.finish(len(sql))


def _body_depth(depth: int, word: str) -> int:
    """BEGIN opens a body, CASE counts only inside one, END closes either."""
    if word == "end":
        return max(depth - 1, 0)
    return depth + 1 if word == "begin" or depth else 0


def _sqlite_parts(sql: str) -> Iterator[str]:
    """sqlite3_complete's rule: a CREATE TRIGGER ends at a semicolon, END and a semicolon in a row."""
    piece = _Piece(sql, 0)
    trigger: bool | None = None
    # The last tokens that are not comments, with only space and comments between them: "", ";" or "; END".
    seen, seen_end = "", 0
    for kind, start, end in _tokens(sql, _SQLITE):
        adjacent = not sql[seen_end:start].strip(_SPACE)
        if kind == "comment":
            piece.comment(start, end)
            seen = seen if adjacent else ""
        elif kind == "semicolon":
            trigger = piece.starts_with(_TRIGGER, start) if trigger is None else trigger
            if not trigger or (seen == "; END" and adjacent):
                yield piece.finish(start)
                piece, trigger = _Piece(sql, end), None
            seen = ";"
        else:
            seen = "; END" if kind == "word" and seen == ";" and adjacent else ""
        seen_end = end
    yield piece.finish(len(sql))


def _tokens(sql: str, pattern: re.Pattern[str]) -> Iterator[_Token]:
    """The tokens that matter, in order; nothing between them can cut a statement."""
    position = 0
    while match := pattern.match(sql, position):
        kind = match.lastgroup or ""
        start, position = match.start(kind), match.end()
        if kind == "nested":
            end = _comment_end(sql, position)
            # PostgreSQL refuses a comment that never ends; kept as code, so that it is PostgreSQL that says so.
            kind, position = ("quoted", len(sql)) if end is None else ("comment", end)
        elif kind == "dollar":
            end = sql.find(match["dollar"], position)
            position = len(sql) if end < 0 else end + len(match["dollar"])
        yield kind, start, position


def _comment_end(sql: str, position: int) -> int | None:
    """Where the comment ends that was opened just before `position`; comments nest in PostgreSQL."""
    depth = 1
    for match in _NESTING.finditer(sql, position):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return None


def _code_start(sql: str) -> int:
    """Where the first thing stands that is neither space nor comment."""
    position, end = 0, len(sql)
    while position < end:
        if sql[position] in _SPACE:
            position += 1
        elif sql.startswith("--", position):
            newline = sql.find("\n", position)
            position = end if newline < 0 else newline
        elif sql.startswith("/*", position):
            position = _comment_end(sql, position + 2) or end
        else:
            return position
    return end


def _is_single(sql: str) -> bool:
    return ";" not in sql and "--" not in sql and "/*" not in sql


def _refuse_copy(part: str) -> None:
    start = _code_start(part)
    if part[start : start + 4].lower() == "copy" and _COPY_IN.match(part, start):
        raise OperationError(
            "COPY ... FROM STDIN cannot be run from a migration: the rows after it are data of psql, not SQL.",
            hint="Use op.bulk_insert or INSERT statements, or the driver's own copy through `await op.connection()`.",
        )
