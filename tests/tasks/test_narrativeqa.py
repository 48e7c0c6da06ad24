import csv
from pathlib import Path

import pytest

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks, module
from evalsuite.sources import FolderSource, open_source
from evalsuite.task import Selection
from evalsuite.types import Completion, Sample

TASKS = find_tasks()
STORY, SUMMARY = TASKS["narrativeqa"], TASKS["narrativeqa_summary"]
cut = module("narrativeqa", "story").cut


def open_at(root: Path, split: str) -> FolderSource:
    return open_source(STORY.dataset, root, split=split)


def counts(samples: list[Sample]) -> tuple[int, int]:
    assert len({sample.id for sample in samples}) == len(samples)
    return len({sample.document.id for sample in samples}), len(samples)


def write_csv(path: Path, *rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """Two validation documents, one with its story, in the official layout."""
    folder = tmp_path / "narrativeqa"
    header = "document_id,set,kind,story_url,story_file_size,wiki_url,wiki_title,story_word_count,story_start,story_end"
    rows = [[name, "valid", "gutenberg", "u", "1", "u", "t", "9", "Once upon", "the end ."] for name in ("d1", "d2")]
    write_csv(folder / "documents.csv", header.split(","), *rows)
    asked = [
        [name, name_set, f"Who {n} ?", "Ann .", "Ann", f"Who {n} ?", "Ann .", "Ann"]
        for n, (name, name_set) in enumerate((("d1", "valid"), ("x", "train"), ("d2", "valid"), ("d1", "valid")))
    ]
    header = "document_id,set,question,answer1,answer2,question_tokenized,answer1_tokenized,answer2_tokenized"
    write_csv(folder / "qaps.csv", header.split(","), *asked)
    write_csv(
        folder / "third_party" / "wikipedia" / "summaries.csv",
        ["document_id", "set", "summary", "summary_tokenized"],
        *([name, "valid", f"Summary of {name}.", ""] for name in ("d1", "d2")),
    )
    story = "\ufeffHeader\r\nOnce\r\nupon a time. It was the end. Really: the end. Footer\r\n"
    (folder / "tmp").mkdir()
    (folder / "tmp" / "d1.content").write_bytes(story.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("split", "expected", "absent"), [("validation", (19, 560), "96 of 115"), ("test", (95, 2786), "260 of 355")]
)
def test_full_stories_have_the_manifests_counts_and_the_absent_ones_are_told(
    real_data: Path, split: str, expected: tuple[int, int], absent: str
) -> None:
    source = open_at(real_data, split)
    samples = list(STORY.samples(Selection(source, split)))
    assert counts(samples) == expected
    assert f"{absent} documents have no story text and are not asked about" in source.notes
    assert not any("not found" in note for note in source.notes)


@pytest.mark.parametrize(("split", "expected"), [("validation", (115, 3461)), ("test", (355, 10557))])
def test_summaries_have_the_official_counts(real_data: Path, split: str, expected: tuple[int, int]) -> None:
    source = open_at(real_data, split)
    assert counts(list(SUMMARY.samples(Selection(source, split)))) == expected
    assert any("third-party copy" in note for note in source.notes)


def test_the_official_files_load_with_a_documents_questions_together(official: Path) -> None:
    source = open_at(official, "validation")
    samples = list(STORY.samples(Selection(source, "validation")))
    assert [(sample.id, sample.question) for sample in samples] == [("d1/0", "Who 0 ?"), ("d1/1", "Who 3 ?")]
    assert samples[0].document.text == "Once\nupon a time. It was the end. Really: the end."
    assert samples[0].references == ("Ann .", "Ann")
    assert source.notes == ("1 of 2 documents have no story text and are not asked about",)
    assert {used.name for used in source.used} == {"qaps.csv", "documents.csv", "tmp/d1.content"}


def test_the_official_summaries_load(official: Path) -> None:
    samples = list(SUMMARY.samples(Selection(open_at(official, "validation"), "validation")))
    assert [sample.document.text for sample in samples] == ["Summary of d1.", "Summary of d1.", "Summary of d2."]


def test_a_story_whose_ends_are_not_found_is_used_whole_and_said(official: Path) -> None:
    (official / "narrativeqa" / "tmp" / "d1.content").write_text("Quite another text.")
    source = open_at(official, "validation")
    samples = list(STORY.samples(Selection(source, "validation")))
    assert samples[0].document.text == "Quite another text."
    assert "start or end of story tmp/d1.content not found in its text: it is used whole" in source.notes


def test_a_story_that_is_not_utf_8_is_read_as_windows_1252_and_said(official: Path) -> None:
    (official / "narrativeqa" / "tmp" / "d1.content").write_bytes(b"Once upon a caf\xe9\x97the end.")
    source = open_at(official, "validation")
    assert next(iter(STORY.samples(Selection(source, "validation")))).document.text == "Once upon a café—the end."
    assert any("Windows-1252" in note for note in source.notes)


def test_a_story_with_a_nul_byte_is_one_clear_error(official: Path) -> None:
    (official / "narrativeqa" / "tmp" / "d1.content").write_bytes(b"Once upon\na \0 the end.")
    with pytest.raises(UsageError, match=r"d1\.content:2: the text holds a NUL character"):
        list(STORY.samples(Selection(open_at(official, "validation"), "validation")))


def test_no_story_at_all_says_what_to_get_and_where_to_put_it(official: Path) -> None:
    (official / "narrativeqa" / "tmp" / "d1.content").unlink()
    with pytest.raises(UsageError, match=r"download_stories\.sh.*put it below .*narrativeqa"):
        list(STORY.samples(Selection(open_at(official, "validation"), "validation")))


def test_hub_rows_give_stories_and_summaries_without_holding_all_books(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {
            "document": {
                "id": name,
                "start": "Once upon",
                "end": "the end .",
                "text": f"Head. Once upon {name} the end. Foot.",
                "summary": {"text": f"About {name}."},
            },
            "question": {"text": f"Who {n}?"},
            "answers": [{"text": "Ann."}, {"text": "Ann"}],
        }
        for n, name in enumerate(("d1", "d1", "d2"))
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "validation-00000-of-00001.parquet")
    stories = list(STORY.samples(Selection(open_at(tmp_path, "validation"), "validation")))
    assert [(s.id, s.document.text) for s in stories] == [
        ("d1/0", "Once upon d1 the end."),
        ("d1/1", "Once upon d1 the end."),
        ("d2/0", "Once upon d2 the end."),
    ]
    assert stories[0].document is stories[1].document
    summaries = list(SUMMARY.samples(Selection(open_at(tmp_path, "validation"), "validation")))
    assert [s.document.text for s in summaries] == ["About d1.", "About d1.", "About d2."]


@pytest.mark.parametrize(
    ("text", "start", "end", "story"),
    [
        ("x “Hello,” he said. BYE y", "`` Hello , ''", "BYE", "“Hello,” he said. BYE"),
        ("a.b A. B. z END and END .", "A . B .", "END .", "A. B. z END and END ."),
        ("END then START", "START", "END", None),
        ("nothing", "START", "END", None),
    ],
)
def test_a_cut_runs_from_the_first_start_to_the_last_end(text: str, start: str, end: str, story: str | None) -> None:
    assert cut(text, start, end) == story


def test_the_score_is_the_best_references_f1(official: Path) -> None:
    sample = next(iter(STORY.samples(Selection(open_at(official, "validation"), "validation"))))
    assert STORY.protocols[0].score(sample, Completion("k", " the ANN!\n")).values == {"f1": 100.0}
