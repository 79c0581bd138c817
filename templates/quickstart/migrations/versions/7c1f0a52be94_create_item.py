"""create item

Revision ID: 7c1f0a52be94
Revises:
Create Date: 2026-11-20 19:17:01
"""

import sqlalchemy as sa
from asyncmig import op

revision = "7c1f0a52be94"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
        sa.UniqueConstraint("name", name="uq_item_name"),
    )


def downgrade() -> None:
    op.drop_table("item")
