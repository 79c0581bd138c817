<%!
    from json import dumps

    def listed(value):
        """None, "id" or ("id", "id"): one a line where they do not fit, as formatters have it."""
        if value is None or isinstance(value, str):
            return dumps(value) if value else "None"
        ids = [dumps(one) for one in value]
        line = f"({', '.join(ids)}{',' * (len(ids) == 1)})"
        return line if len(line) < 70 else "(\n" + "".join(f"    {one},\n" for one in ids) + ")"

    def unused(name, *bodies):
        return "" if any(name in (body or "") for body in bodies) else "  # noqa: F401"
%>\
<%
    parents = [down_revision] if isinstance(down_revision, str) else down_revision or []
    bodies = ["sa. op."] if data else [upgrades, downgrades]
    generated = bool(upgrades or downgrades)
    gap = " " if message.startswith('"') else ""
%>\
"""${gap}${message}

Revision ID: ${up_revision}
Revises:${"".join(f" {one}," for one in parents).rstrip(",")}
Create Date: ${create_date}
"""

% if not generated or "sa." in "".join(bodies):
import sqlalchemy as sa${unused("sa.", *bodies)}
% endif
from asyncmig import op${unused("op.", *bodies)}
% if imports:
${imports}
% endif

revision = ${listed(up_revision)}
down_revision = ${listed(down_revision)}
branch_labels = ${listed(branch_labels)}
depends_on = ${listed(depends_on)}


% if data:
async def upgrade() -> None:
    # Fill in the table, its key, the rows that want the change, and the change.
    # Each batch is a transaction; an interrupted run goes on behind the last one.
    wanted = "new_column IS NULL"
    async for batch in op.batches("table_name", key="id", size=1000, where=wanted):
        change = sa.update(batch.table).where(batch.where)
        value = sa.func.lower(batch.table.c.old_column)
        await batch.execute(change.values(new_column=value))


async def downgrade() -> None:
    pass
% else:
def upgrade() -> None:
    ${upgrades or "pass"}


def downgrade() -> None:
    ${downgrades or "pass"}
% endif
