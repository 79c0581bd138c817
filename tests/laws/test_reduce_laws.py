"""Laws of `reduced`, over random schemas and operations: the same schema, never longer, and reduced again the same."""

from hypothesis import given, note, settings
from stories import Story, stories

from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.operations.reduce import reduced
from asyncmig.operations.sql import Execute
from asyncmig.schema.model import Schema


@given(stories())
@settings(max_examples=400)
def test_reduced_operations_lead_to_the_same_schema(story: Story) -> None:
    short = reduced(story.operations)
    note("\n".join(operation.describe() for operation in story.operations))
    note("is\n" + "\n".join(operation.describe() for operation in short))
    assert replay(short, story.before) == replay(story.operations, story.before)
    assert len(short) <= len(story.operations)


@given(stories())
def test_reduced_again_they_are_the_same(story: Story) -> None:
    short = reduced(story.operations)
    assert reduced(short) == short


@given(stories())
def test_nothing_moves_past_free_sql(story: Story) -> None:
    def between(operations: tuple[Operation, ...]) -> list[Schema]:
        """The schema as each free SQL finds it."""
        return [
            replay(operations[:at], story.before)
            for at, operation in enumerate(operations)
            if isinstance(operation, Execute)
        ]

    assert between(reduced(story.operations)) == between(story.operations)
