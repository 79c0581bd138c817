"""Mako templates, rendered; what goes wrong names the template's line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from asyncmig.errors import TemplateError

__all__ = ["render"]


def render(template: Path, variables: Mapping[str, object]) -> str:
    """The text of a template. TemplateError when it is missing, malformed, or raises."""
    from mako.exceptions import CompileException, SyntaxException
    from mako.template import Template

    try:
        source = template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TemplateError(
            f"The template cannot be read: {reason}.",
            path=template,
            hint="`asyncmig init` writes one: copy script.py.mako from a new directory.",
        ) from error
    try:
        # From text, not from the file: Mako would otherwise put compiled modules in its cache and watch the file.
        text = Template(text=source, strict_undefined=True).render_unicode(**variables)
    except (CompileException, SyntaxException) as error:
        raise TemplateError(
            f"The template is malformed: {str(error).partition(' at line')[0]}.", path=template, line=error.lineno
        ) from error
    except Exception as error:
        raise TemplateError(
            f"The template raises {type(error).__name__}: {error}.", path=template, line=_template_line(error)
        ) from error
    return str(text)


def _template_line(error: BaseException) -> int | None:
    """The template's line for a failure inside it, as Mako's own tracebacks find it."""
    from mako.exceptions import RichTraceback

    lines = [record[5] for record in RichTraceback(error, error.__traceback__).records if record[4]]
    return lines[-1] if lines else None
