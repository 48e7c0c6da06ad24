"""Trains the two checkpoints of the demo: `python -m evalsuite.demo.train --out DIR`.

The long-context paper's recipe in miniature: `short` is trained on up to 512 tokens with RoPE base 10,000, `long`
continues from it on up to 4,096 tokens with base 500,000. It takes a quarter of an hour on two free CPU cores and twice
that on busy ones; with the same packages on the same kind of processor it gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from evalsuite.demo.mix import KINDS, PROBE_ROWS, TASK_ROWS, Recipe, Stretch, make_row
from evalsuite.demo.tokenizer import build_tokenizer, save_tokenizer

LEARNING_RATE = 2e-3
WARM_UP = 100
SMOOTHING = 0.98
LOG_EVERY = 50
KEEP_EVERY = 200


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training on rows of one length."""

    recipe: Recipe
    # steps at most
    steps: int
    # tokens of a batch
    batch: int = 4096
    # go on to the next stage once this share of answer tokens is right (smoothed); 1 trains all steps
    until: float = 1.0
    # learning rate at the end, as a share of the full one; it falls linearly
    final_rate: float = 1.0


_DRILLS = (("echo", 1.0), ("recital", 1.0))
_NAMES = (("narrativeqa", 1.0),)
_ALL = TASK_ROWS + PROBE_ROWS
SHORT = (
    # the rule itself, on rows made of nothing else; then on facts; then in answer to questions
    Stage(Recipe(64, (0.7, 0.7), (1.0, 1.0), (("echo", 1.0),), shots=0.0), 20_000, 1024, until=0.8),
    Stage(Recipe(128, (0.7, 0.7), (1.0, 1.0), _DRILLS + _NAMES, shots=0.0), 20_000, 2048, until=0.9),
    Stage(Recipe(256, (0.3, 0.7), (0.6, 1.0), (*_NAMES, ("qasper", 1.0)), shots=0.2), 4_000, 2048, until=0.9),
    Stage(Recipe(512, (0.3, 1.0), (0.2, 1.0), _ALL, shots=0.4, letters=True), 1_600, 2048, final_rate=0.05),
    Stage(Recipe(512, (0.3, 1.0), (0.2, 1.0), _ALL, shots=0.4), 800, 2048, final_rate=0.05),
    # choosing takes one look-up more than the rest, so it gets rows of its own
    Stage(Recipe(512, (0.3, 0.9), (0.2, 1.0), (*_ALL, ("quality", 15.0)), shots=0.2), 300, final_rate=0.05),
)
LONG = (
    Stage(Recipe(1024, (0.3, 0.9), (0.2, 0.9), _ALL, shots=0.4), 100),
    Stage(Recipe(2048, (0.3, 0.9), (0.2, 0.9), _ALL, shots=0.4), 100),
    Stage(Recipe(4096, (0.3, 1.0), (0.15, 0.6), _ALL, shots=0.4), 300, final_rate=0.05),
)


def build_model(rope_base: float, vocabulary: int) -> Any:
    """A fresh Llama of 3 layers, width 128, that declares 4,096 positions."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        initializer_range=0.05,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": rope_base},
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return LlamaForCausalLM(config)


class Encoder:
    """Rows of text to token ids and, for each token, the kind of answer it belongs to (0 where none)."""

    def __init__(self) -> None:
        self.tokenizer = build_tokenizer()
        self.codes = {kind: index for index, kind in enumerate(("", "stop", *KINDS))}

    def encode(self, row: list[Stretch], length: int) -> tuple[list[int], list[int]]:
        """Ids with BOS and kind codes, both padded at the end to `length`."""
        ids, codes = [0], [0]
        for stretch in row:
            pieces = self.tokenizer.encode(stretch.text, add_special_tokens=False).ids
            ids += pieces
            codes += [self.codes[stretch.kind]] * len(pieces)
        missing = length - len(ids)
        return (ids + [1] * missing)[:length], (codes + [0] * missing)[:length]


def batches(seed: int, stage: Stage, encoder: Encoder) -> Iterator[tuple[Any, Any]]:
    """Endless batches of ids and kind codes."""
    import torch

    recipe = stage.recipe
    random = Random(f"{seed} {recipe.tokens} {recipe.fill}")  # noqa: S311 - reproducible, not secret
    while True:
        rows = (make_row(random, recipe) for _ in range(stage.batch // recipe.tokens))
        ids, codes = zip(*(encoder.encode(row, recipe.tokens) for row in rows), strict=True)
        yield torch.tensor(ids), torch.tensor(codes)


def train_stage(model: Any, stage: Stage, seed: int, encoder: Encoder, log: Log) -> None:
    """Train on one recipe until its steps are done or its aim is reached."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    smooth = 0.0
    for step, (ids, codes) in enumerate(batches(seed, stage, encoder)):
        if step == stage.steps or smooth > stage.until:
            return
        for group in optimizer.param_groups:
            group["lr"] = rate(step, stage)
        learn = codes[:, 1:] > 0
        states = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1][learn]
        logits, targets = model.lm_head(states), ids[:, 1:][learn]
        loss = torch.nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        right = logits.argmax(-1) == targets
        kinds = codes[:, 1:][learn]
        smooth = SMOOTHING * smooth + (1 - SMOOTHING) * right[kinds > 1].float().mean().item()
        log.step(loss.item(), kinds, right)
        if log.steps % KEEP_EVERY == 0:
            model.save_pretrained(log.path.parent / "latest")


def rate(step: int, stage: Stage) -> float:
    """Learning rate of a step: warm-up, then a line from the full rate to the stage's final one."""
    done = step / stage.steps
    return LEARNING_RATE * min((step + 1) / WARM_UP, 1 - done * (1 - stage.final_rate))


class Log:
    """Progress: one line every `LOG_EVERY` steps, with the accuracy of each kind of answer, and the weights kept."""

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.path, self.names = path, {code: kind for kind, code in encoder.codes.items()}
        self.steps, self.start = 0, time.monotonic()
        self.losses: list[float] = []
        self.seen: Counter[int] = Counter()
        self.hits: Counter[int] = Counter()

    def step(self, loss: float, kinds: Any, right: Any) -> None:
        """Take in one step's results."""
        self.steps += 1
        self.losses.append(loss)
        self.seen.update(kinds.tolist())
        self.hits.update(kinds[right].tolist())
        if self.steps % LOG_EVERY == 0:
            self.write({"step": self.steps, "loss": round(sum(self.losses) / len(self.losses), 4)} | self._shares())
            for kept in (self.losses, self.seen, self.hits):
                kept.clear()

    def _shares(self) -> dict[str, float]:
        return {self.names[code]: round(self.hits[code] / n, 3) for code, n in sorted(self.seen.items())}

    def write(self, fields: dict[str, Any]) -> None:
        """Add a line to the log and print it."""
        line = json.dumps({"minutes": round((time.monotonic() - self.start) / 60, 1)} | fields)
        print(line, flush=True)  # noqa: T201 - a script that tells how far it is
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def train(out: Path, seed: int, resume: int = 0) -> None:
    """Train `short`, then `long` from it, and save both with their tokenizer under `out`.

    Args:
        out: gets both checkpoints and the log.
        seed: of weights and rows.
        resume: stages of `short` that a broken-off run has finished, whose weights are in `out`; a stage begins
            with nothing but the weights of the one before, so a resumed run equals an undisturbed one.
    """
    import torch
    from transformers import logging

    logging.disable_progress_bar()
    torch.manual_seed(seed)
    encoder = Encoder()
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.jsonl", encoder)
    short = build_model(10_000.0, encoder.tokenizer.get_vocab_size())
    if resume:
        short = type(short).from_pretrained(out / "short")
    run(short, SHORT[resume:], seed, out / "short", encoder, log)
    long = build_model(500_000.0, encoder.tokenizer.get_vocab_size())
    long.load_state_dict(short.state_dict())
    run(long, LONG, seed, out / "long", encoder, log)


def run(model: Any, stages: tuple[Stage, ...], seed: int, out: Path, encoder: Encoder, log: Log) -> None:
    """Train the stages in turn; the weights are saved after each."""
    for number, stage in enumerate(stages):
        log.write({"stage": number, "tokens": stage.recipe.tokens})
        train_stage(model, stage, seed, encoder, log)
        model.save_pretrained(out)
        save_tokenizer(out)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=int, default=0, metavar="N", help="go on behind the first N stages")
    arguments = parser.parse_args()
    train(arguments.out, arguments.seed, arguments.resume)


if __name__ == "__main__":
    main()
