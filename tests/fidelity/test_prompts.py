"""Golden prompt cases are computed without their answer, and compared without tolerance."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.fidelity.prompt_inputs import PromptContext, RememberingTokenizer
from evalsuite.fidelity.prompts import compute_prompt, expected_value, prompt_agrees


def cases(golden: Path, name: str, every: int) -> list[dict[str, Any]]:
    with gzip.open(golden / f"prompts_{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file][::every]


@pytest.fixture(scope="module")
def context(golden: Path, real_data: Path) -> PromptContext:
    return PromptContext(golden, data=real_data)


def short(case: dict[str, Any]) -> bool:
    """Whether a case is quick to compute."""
    return case["expected"].get("document_tokens", 0) < 7000


@pytest.mark.parametrize("name", ["zeroscrolls", "leval"])
def test_a_value_agrees_and_one_under_another_limit_does_not(name: str, golden: Path, context: PromptContext) -> None:
    sample = [case for case in cases(golden, name, 31) if short(case)]
    blind = [{key: value for key, value in case.items() if key != "expected"} for case in sample]
    values = [compute_prompt(case, context) for case in blind]
    assert [prompt_agrees(case["expected"], value) for case, value in zip(sample, values, strict=True)] == [True] * len(
        sample
    )
    cut = next(case for case in sample if case["expected"].get("truncated") or case["expected"].get("cuts"))
    other = cut | {"limit": cut["limit"] - 40, "max_length": "1k"}
    assert not prompt_agrees(cut["expected"], compute_prompt(other, context))


def test_hf_has_no_text_and_turbo_has_no_ids(golden: Path, context: PromptContext) -> None:
    hf = next(case for case in cases(golden, "zeroscrolls", 1) if case["rule"] == "hf")
    value = compute_prompt(hf, context)
    assert value["prompt_sha256"] is None
    assert value["prompt_tokens"] == hf["expected"]["prompt_tokens"]
    turbo = next(case for case in cases(golden, "leval", 1) if case["script"] == "turbo16k-test")
    value = compute_prompt(turbo, context)
    assert (value["token_ids_sha256"], value["prompt_tokens"]) == (None, None)


def test_full_and_hashed_expectations_mean_the_same() -> None:
    text, ids = hashlib.sha256("é".encode()).hexdigest(), hashlib.sha256(b"1,22").hexdigest()
    hashed = {"prompt_sha256": text, "token_ids_sha256": ids, "prompt_tokens": 2}
    assert expected_value({"prompt": "é", "token_ids": [1, 22], "prompt_tokens": 2}) == hashed
    assert expected_value(hashed) == hashed
    assert not prompt_agrees(hashed, hashed | {"prompt_tokens": 3})


def test_missing_inputs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALSUITE_GOLDEN", raising=False)
    (tmp_path / "leval").mkdir()
    (tmp_path / "leval" / "tpo.jsonl").write_text("{}\n")
    context = PromptContext(tmp_path, data=tmp_path)
    with pytest.raises(UsageError, match=r"no tokenizer .*--tokenizers"):
        context.tokenizer("bytelevel")
    with pytest.raises(UsageError, match="no record 'zs-1'"):
        context.record("zs-1")
    with pytest.raises(UsageError, match="EVALSUITE_DATA"):
        context.published("leval", "gsm100", 0)
    with pytest.raises(UsageError, match="has 1 rows; a case asks for row 1"):
        context.published("leval", "tpo", 1)
    with pytest.raises(UsageError, match="case x: 'record' is missing"):
        compute_prompt({"id": "x", "rule": "hf"}, context)


def test_a_remembered_text_is_encoded_once_and_framed_each_time() -> None:
    class Counting:
        calls = 0

        def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
            self.calls += text != "a"
            return [1, *map(ord, text), 2] if special_tokens else [*map(ord, text)]

        def offsets(self, text: str) -> list[tuple[int, int]]:
            return [(at, at + 1) for at in range(len(text))]

    inner = Counting()
    tokenizer = RememberingTokenizer(inner)  # type: ignore[arg-type]  # only encode is asked
    assert tokenizer.encode("bc") == [98, 99]
    assert tokenizer.encode("bc", special_tokens=True) == [1, 98, 99, 2]
    assert inner.calls == 1
