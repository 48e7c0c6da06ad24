from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from evalsuite.errors import UsageError
from evalsuite.tokenizers import HFTokenizer, load_tokenizer

TEXT = "Hello  world </s> née 🙂\n\nwho wrote <|endoftext|> it?\x00 A: "
CORPUS = ["Hello world, who wrote it? The story was told of a man and a woman. A: B: <user> née\n\n"] * 4
CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def _bytelevel() -> object:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _llamalike() -> object:
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    special = ["<unk>", "<s>", "</s>", *alphabet]
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False)
    )
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = [token for token in saved["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def _save(folder: Path, backend: object, special: dict[str, str]) -> Path:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bytelevel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bytelevel")
    return _save(folder, _bytelevel(), {"bos_token": "<|endoftext|>", "eos_token": "</s>"})


@pytest.fixture(scope="module")
def llamalike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("llamalike"), _llamalike(), {"bos_token": "<s>", "eos_token": "</s>"})


@pytest.fixture(params=["bytelevel", "llamalike"])
def tokenizer(request: pytest.FixtureRequest) -> HFTokenizer:
    return load_tokenizer(str(request.getfixturevalue(request.param)))


def test_a_bos_the_tokenizer_adds_is_put_in_front(llamalike: Path) -> None:
    tokenizer = load_tokenizer(str(llamalike))
    assert tokenizer.bos_id == 1
    assert tokenizer.encode("who", special_tokens=True) == [1, *tokenizer.encode("who")]
    assert tokenizer.eos_ids == {2}


def test_a_bos_that_is_only_defined_is_not_put_in_front(bytelevel: Path) -> None:
    assert load_tokenizer(str(bytelevel)).bos_id is None


def test_a_special_tokens_spelling_in_a_text_stays_text(tokenizer: HFTokenizer) -> None:
    end = next(iter(tokenizer.eos_ids))
    assert end in tokenizer.encode("who </s> it")
    literal = tokenizer.encode_literal("who </s> it")
    assert not tokenizer.special_ids & set(literal.ids)
    assert tokenizer.decode(literal.ids) == "who </s> it"
    assert end in tokenizer.encode("who </s> it"), "asking literally must not change the ordinary encoding"


def test_literal_offsets_cover_the_original_text_without_gaps(tokenizer: HFTokenizer) -> None:
    encoding = tokenizer.encode_literal(TEXT)
    assert len(encoding.ids) == len(encoding.offsets)
    reached = 0
    for start, end in encoding.offsets:
        assert start <= reached <= end
        reached = end
    assert reached == len(TEXT)


def test_a_text_kept_from_an_offset_on_holds_the_tokens_characters(tokenizer: HFTokenizer) -> None:
    encoding = tokenizer.encode_literal(TEXT)
    for index, (start, _) in enumerate(encoding.offsets):
        kept = tokenizer.decode(encoding.ids[index:])
        if "\ufffd" not in kept:
            assert TEXT[start:].lstrip(" ") == kept.lstrip(" ")


def test_an_ordinary_text_has_the_same_ids_either_way(tokenizer: HFTokenizer) -> None:
    text = "Hello world, who wrote it?"
    assert list(tokenizer.encode_literal(text).ids) == tokenizer.encode(text)


def test_no_text_is_cut_however_long(bytelevel: Path, tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    limited = PreTrainedTokenizerFast.from_pretrained(bytelevel, model_max_length=8)
    limited.backend_tokenizer.enable_truncation(8)
    limited.save_pretrained(tmp_path)
    tokenizer = load_tokenizer(str(tmp_path))
    assert tokenizer.model_max_length == 8
    assert len(tokenizer.encode("who wrote it? " * 50)) > 100
    with pytest.warns(UserWarning, match="model_max_length=8, below the model's 32"):
        tokenizer.warn_if_shorter(32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer.warn_if_shorter(8)


def test_the_hash_is_of_the_content_and_not_of_the_folder(bytelevel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in bytelevel.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert load_tokenizer(str(copy)).hash == load_tokenizer(str(bytelevel)).hash
    (copy / "chat_template.jinja").write_text(CHAT)
    assert load_tokenizer(str(copy)).hash != load_tokenizer(str(bytelevel)).hash


def test_a_chat_is_rendered_up_to_the_models_turn(bytelevel: Path, tmp_path: Path) -> None:
    assert load_tokenizer(str(bytelevel)).chat_template([{"role": "user", "content": "who"}]) is None
    for file in bytelevel.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "chat_template.jinja").write_text(CHAT)
    tokenizer = load_tokenizer(str(tmp_path))
    rendered = tokenizer.chat_template([{"role": "user", "content": "who"}])
    assert rendered == "<|user|>who</s><|assistant|>"


def test_a_chat_reads_the_templates_special_strings_and_not_the_users(bytelevel: Path) -> None:
    tokenizer = load_tokenizer(str(bytelevel))
    start, content, end = "<|user|>", "who </s> it", "</s><|assistant|>"
    rendered = start + content + end
    encoding = tokenizer.encode_chat(rendered, [(len(start), len(start + content))])
    ids = [tokenizer.encode(start), tokenizer.encode_literal(content).ids, tokenizer.encode(end)]
    assert list(encoding.ids) == [id_ for piece in ids for id_ in piece]
    assert [rendered[a:b] for a, b in encoding.offsets][-2:] == ["</s>", "<|assistant|>"]
    harmless = tokenizer.encode_chat("<|user|>who</s>", [(8, 11)])
    assert list(harmless.ids) == tokenizer.encode("<|user|>who</s>")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no tokenizer files"),
        ({"tokenizer.json": "{"}, "cannot be read"),
        ({"tokenizer_config.json": "{}", "vocab.json": "{}"}, "no fast tokenizer"),
    ],
)
def test_a_folder_without_a_usable_tokenizer_is_one_clear_line(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        load_tokenizer(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c", "not a name!"])
def test_a_folder_that_does_not_exist_is_one_clear_line(name: str) -> None:
    with pytest.raises(UsageError, match="folder") as caught:
        load_tokenizer(name)
    assert "\n" not in str(caught.value)


def test_nothing_is_downloaded_when_the_hub_is_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE is set"):
        load_tokenizer("some-one/some-model")
