"""A ZeroSCROLLS row, and the request for brevity that the official runner writes into its instruction.

Source: tau-nlp/zero_scrolls@c994676, experiments/api/{api,openai_api,anthropic_api}.py. All indices are code points.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evalsuite.errors import UsageError

CHAT_REQUEST = "Do not provide any explanation."
CLAUDE_REQUEST = "Do not provide any explanation, and please highlight your final {answer} with <{tag}></{tag}> tags."


@dataclass(frozen=True, slots=True)
class Row:
    """The part of an official row that makes a prompt.

    Attributes:
        input: the ready-made prompt: instruction, document, query, response header.
        document_start: where the document begins in `input`.
        document_end: where it ends.
        query_start: where the query with its header begins; with no query, where the frame's tail begins.
        query_end: where the query ends; the response header follows.
        separator: official field `truncation_seperator`, put where the document was cut, used as it is.
    """

    input: str
    document_start: int
    document_end: int
    query_start: int
    query_end: int
    separator: str

    @property
    def indices(self) -> tuple[int, int, int, int]:
        """The four indices in the order of the official fields."""
        return (self.document_start, self.document_end, self.query_start, self.query_end)

    @property
    def answer_type(self) -> str:
        """The response header without its colon, such as `Answer` or `Percentage of Positive Reviews`."""
        return self.input[self.query_end :].strip().replace(":", "")


INDEX_FIELDS = ("document_start_index", "document_end_index", "query_start_index", "query_end_index")


def read_row(record: Mapping[str, Any]) -> Row:
    """Read a row of an official file.

    Raises:
        UsageError: a field is missing or has another type, or an index lies outside `input`.
    """
    name = record.get("id", "without id")
    text, separator = record.get("input"), record.get("truncation_seperator")
    if not isinstance(text, str) or not isinstance(separator, str):
        raise UsageError(f"ZeroSCROLLS row {name}: `input` and `truncation_seperator` must be text")
    start, end, query, query_end = (_index(record, field, len(text), name) for field in INDEX_FIELDS)
    return Row(text, start, end, query, query_end, separator)


def _index(record: Mapping[str, Any], field: str, length: int, name: object) -> int:
    """Return one index, checked: a negative one would count from the end and cut in silence."""
    value = record.get(field)
    if not isinstance(value, int) or not 0 <= value <= length:
        raise UsageError(f"ZeroSCROLLS row {name}: `{field}` is {value!r}, outside the input (0 to {length})")
    return value


def insert_request(row: Row, request: str) -> Row:
    """Return the row with `request` at the end of its instruction.

    The official code changes the row in place, so building a prompt twice inserts twice; a run builds once, and
    here the row given stays as it was.
    """
    # find() gives -1 without a blank line: the request then lands before the last character, as officially.
    # The first blank line counts wherever it is, inside the instruction or the document.
    end = row.input.find("\n\n")
    text = row.input[:end].strip() + " " + request + row.input[end:]
    # What strip() took is not counted, so with surrounding spaces the indices come out too high by as much.
    start, stop, query, query_end = (index + len(request) + 1 for index in row.indices)
    return replace(row, input=text, document_start=start, document_end=stop, query_start=query, query_end=query_end)


def chat_row(row: Row, *, summary: bool) -> Row:
    """Return the row as the OpenAI chat rule sees it: with the request, without the response header."""
    changed = row if summary else insert_request(row, CHAT_REQUEST)
    # Summary sets get no request, but their response header is dropped as well.
    return replace(changed, input=changed.input[: changed.query_end])


def claude_tag(answer_type: str) -> str:
    """Return the tag the answer shall stand in: `final_answer` for `Final Answer`."""
    return answer_type.lower().replace(" ", "_")


def claude_row(row: Row, *, summary: bool) -> Row:
    """Return the row as the Claude rule sees it: the answer's type and tag are named in the request."""
    if summary:
        return row
    # The type is read before the insertion, whose uncounted strip can move the indices off the header.
    answer = row.answer_type
    return insert_request(row, CLAUDE_REQUEST.format(answer=answer.lower(), tag=claude_tag(answer)))
