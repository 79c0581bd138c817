"""What scripts written for Alembic import: `alembic` and its documented submodules, as ours.

The names hold while a project with `alembic_compat = true` is loaded and run, in that context only. Elsewhere in the
same process `alembic` is the installed one, or it is missing, as if asyncmig were not there.
"""

from asyncmig.alembic_names.imports import project_imports

__all__ = ["project_imports"]
