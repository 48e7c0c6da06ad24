"""``lm-eval:NAME,args``: any model of lm-evaluation-harness, asked with prompts that leave it nothing to cut.

lm-eval cuts prompts from the left without a record. A prompt that its own tokenizer makes longer than it takes is
failed here before lm-eval sees it. What lm-eval does not tell (why an answer ended, token counts) stays None.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evalsuite.engines._generated import first_stop
from evalsuite.errors import UsageError, check_installed, unknown
from evalsuite.interfaces import Tokenizer
from evalsuite.records import EngineInfo, ModelIdentity
from evalsuite.tokenizers import load_tokenizer
from evalsuite.types import Completion, OptionScore, Request

CONSTRUCTION = ("batch_size", "max_batch_size", "device")
"""Arguments lm-eval hands to a model apart from ``--model_args``."""
OURS = "tokenizer_path"
"""Our own option: the tokenizer prompts are made with, where no ``tokenizer`` or ``pretrained`` argument names it."""


class LmEvalEngine:
    """A model of lm-eval.

    Attributes:
        tokenizer: makes the prompts; should be the model's own.
        info: identity and limit; its notes say where lm-eval reads other token ids than were made.
    """

    def __init__(self, lm: Any, info: EngineInfo, tokenizer: Tokenizer) -> None:
        self._lm = lm
        self.info = info
        self.tokenizer = tokenizer

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers one document's requests after the other; lm-eval forms the batches within them."""
        for group in groups:
            fit = []
            for request in group:
                if reason := self._misfit(request):
                    yield Completion(key=request.key, error=reason)
                else:
                    fit.append(request)
            yield from self._together([request for request in fit if not request.options], self._generate)
            yield from self._together([request for request in fit if request.options], self._score)

    def close(self) -> None:
        """Lets go of the model."""
        self._lm = None

    def _together(self, requests: list[Request], ask: Any) -> Iterator[Completion]:
        """Asks for all at once; one by one when that goes wrong, so that only the culprit fails."""
        if not requests:
            return
        try:
            yield from ask(requests)
        except Exception as error:  # noqa: BLE001 - any model of any package raises here, and it is recorded
            if len(requests) == 1:
                yield Completion(key=requests[0].key, error=f"lm-eval: {type(error).__name__}: {error}")
            else:
                for request in requests:
                    yield from self._together([request], ask)

    def _generate(self, requests: list[Request]) -> list[Completion]:
        from lm_eval.api.instance import Instance

        instances = [
            Instance("generate_until", {}, (self._text(request), _until(request)), number)
            for number, request in enumerate(requests)
        ]
        answers = self._lm.generate_until(instances)
        return [_completion(request, text) for request, text in zip(requests, answers, strict=True)]

    def _score(self, requests: list[Request]) -> list[Completion]:
        pairs = [(request, option) for request in requests for option in request.options]
        scores = iter(self._scores(pairs))
        return [
            Completion(key=request.key, options=tuple(_option(next(scores), option) for option in request.options))
            for request in requests
        ]

    def _scores(self, pairs: list[tuple[Request, tuple[int, ...]]]) -> Any:
        """Log-likelihood and greedy flag of each option: by token ids where the model takes them."""
        if hasattr(self._lm, "_loglikelihood_tokens"):
            # The texts only serve lm-eval's cache of answers: the ids make them unique.
            asked = [((str(r.prompt), str(option)), list(r.prompt), list(option)) for r, option in pairs]
            return self._lm._loglikelihood_tokens(asked)  # noqa: SLF001 - the one way to hand over ids
        from lm_eval.api.instance import Instance

        texts = [(self._text(r), self._continuation(r, option)) for r, option in pairs]
        return self._lm.loglikelihood([Instance("loglikelihood", {}, text, n) for n, text in enumerate(texts)])

    def _text(self, request: Request) -> str:
        """The prompt as text: with the BOS spelled out where lm-eval then reads our ids, else without it."""
        ids = request.prompt
        spelled = self.tokenizer.decode(ids)
        bare = self.tokenizer.decode(ids[1:]) if ids and ids[0] == self.tokenizer.bos_id else spelled
        encode = getattr(self._lm, "tok_encode", None)
        if encode is None:
            self._note("lm-eval reads prompts as text; its own token ids are not known")
            return bare
        for text in (bare, spelled):
            if list(encode(text)) == list(ids):
                return text
        self._note("lm-eval's tokenizer reads some prompts as other token ids than ours")
        return bare

    def _continuation(self, request: Request, option: tuple[int, ...]) -> str:
        before = self.tokenizer.decode(request.prompt)
        return self.tokenizer.decode((*request.prompt, *option))[len(before) :]

    def _misfit(self, request: Request) -> str | None:
        """Why lm-eval would cut the request, None when it would not."""
        limit = self.info.max_model_len
        if limit is None:
            return None
        answer = request.answer_tokens
        tokens = len(request.prompt)
        if not request.options and (encode := getattr(self._lm, "tok_encode", None)):
            tokens = max(tokens, len(encode(self._text(request))))
        if tokens + answer > limit:
            return f"lm-eval would cut it: {tokens} prompt tokens and {answer} for the answer, it takes {limit}"
        return None

    def _note(self, text: str) -> None:
        if text not in self.info.notes:
            self.info = replace(self.info, notes=(*self.info.notes, text))


def load(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> LmEvalEngine:
    """Makes a model of lm-eval's registry.

    Args:
        name: its name there, e.g. ``hf``.
        options: what ``--model_args`` takes, with batch_size and device; ``tokenizer_path`` is ours.
        max_model_len: tokens of prompt plus answer, where the model does not say its own.

    Raises:
        UsageError: no lm-eval, no such model, arguments it does not take, or no tokenizer to make prompts with.
    """
    check_installed("hf", f"--model lm-eval:{name}", "lm_eval")
    tokenizer = _tokenizer(name, options)
    lm = _model(name, {key: value for key, value in options.items() if key != OURS})
    limit, source = _limit(lm, max_model_len)
    info = EngineInfo(
        scheme="lm-eval",
        version=version("lm_eval"),
        model=_identity(name, options),
        max_model_len=limit,
        max_model_len_source=source,
        tokenizer=getattr(tokenizer, "hash", ""),
    )
    return LmEvalEngine(lm, info, tokenizer)


def _model(name: str, options: Mapping[str, str]) -> Any:
    import lm_eval.models  # noqa: F401 - fills the registry
    from lm_eval.api.registry import MODEL_REGISTRY, get_model

    if name not in MODEL_REGISTRY:
        raise UsageError(unknown("lm-eval model", name, MODEL_REGISTRY.keys()))
    arguments = ",".join(f"{key}={value}" for key, value in options.items() if key not in CONSTRUCTION)
    construction = {key: value for key, value in options.items() if key in CONSTRUCTION}
    try:
        return get_model(name).create_from_arg_string(arguments, {"batch_size": 1, **construction})
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise UsageError(
            f"lm-eval:{name} cannot be made: {type(error).__name__}: {reason[0] if reason else ''}"
        ) from error


def _tokenizer(name: str, options: Mapping[str, str]) -> Tokenizer:
    for key in (OURS, "tokenizer", "pretrained"):
        if key in options:
            return load_tokenizer(options[key])
    raise UsageError(f"lm-eval:{name}: say {OURS}=PATH, the folder or hub id of the model's tokenizer")


def _limit(lm: Any, asked: int | None) -> tuple[int | None, str]:
    """The longest prompt plus answer: one token below lm-eval's own, for some of its models keep one back."""
    own = getattr(lm, "max_length", None)
    if not isinstance(own, int):
        return asked, "option" if asked is not None else "unknown"
    return (own - 1, "lm-eval") if asked is None or asked >= own else (asked, "option")


def _identity(name: str, options: Mapping[str, str]) -> ModelIdentity:
    kept = {key: value for key, value in sorted(options.items()) if key not in {*CONSTRUCTION, OURS}}
    model = kept.get("pretrained") or kept.get("model") or name
    content = {key: _content(value) for key, value in kept.items()}
    digest = sha256(json.dumps([name, content]).encode()).hexdigest()
    shown = {key: Path(value).name if Path(value).is_dir() else value for key, value in kept.items()}
    return ModelIdentity(Path(model).name, digest, options.get("revision"), shown)


def _content(value: str) -> str:
    """A folder by its content, anything else as it is."""
    folder = Path(value)
    if not folder.is_dir():
        return value
    from evalsuite.engines.hf.checkpoint.weights import model_hash

    return model_hash(folder, {})


def _until(request: Request) -> dict[str, Any]:
    return {"until": list(request.stop), "max_gen_toks": request.max_new_tokens, "do_sample": False, "temperature": 0}


def _completion(request: Request, text: str) -> Completion:
    return Completion(key=request.key, text=text[: first_stop(text, request.stop)])


def _option(score: tuple[float, bool], option: tuple[int, ...]) -> OptionScore:
    logprob, greedy = score
    return OptionScore(float(logprob), len(option), bool(greedy))
