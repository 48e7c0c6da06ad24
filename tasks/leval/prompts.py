"""L-Eval's prompts, word for word, as its three scripts build them.

Source: OpenLMLab/LEval@cd34b05 (GPL-3.0; arXiv:2307.11088v3): Baselines/LEval_config.py (system prompts) and
Baselines/{llama2-chat-test,longchat-test,turbo16k-test}.py. Official slips (`sinlge`, missing spaces) are kept: a
published number stands on them.
"""

from dataclasses import dataclass
from typing import Literal

from evalsuite.interfaces import Tokenizer

Script = Literal["llama2-chat-test", "longchat-test", "turbo16k-test"]
SCRIPTS: tuple[Script, ...] = ("llama2-chat-test", "longchat-test", "turbo16k-test")

SYSTEM_GSM = (
    "Given several question answer pairs, you need to follow a similar format to answer the last question. "
    "Make sure the response is end with The answer is _ . "
)
SYSTEM_TOPIC = (
    "Below is a record of our previous conversation on many different topics. You are the ASSISTANT, and I am the "
    "USER. At the beginning of each topic, the USER will say 'I would like to discuss the topic of <TOPIC>'. "
    "Memorize each <TOPIC>. At the end of the record, I will ask you to retrieve the first/second/third topic names. "
    "Now the record start. "
)
SYSTEM_COURSERA = (
    "Now you are given a very long document. Please follow the instruction based on this document. For multi-choice "
    "questions, there could be a sinlge correct option or multiple correct options. Please only provide the letter "
    "corresponding to the answer (like A or AB) when answering. "
)
# The two that follow end without a space: the next word is glued to them.
SYSTEM_CODE = (
    "Now you are given a code base consisting of a large amount of functions and the corresponding comments. In the "
    "end, I will call some functions defined in the code base. Please carefully read these codes and comments and "
    "answer the question."
)
SYSTEM_SCI_FI = (
    "Now you are given a scientific fiction. I will ask you some questions and the answer should be "
    '"True" or "False". Notice that you should answer the question based on the evidence in the document instead of '
    "your background knowledge."
)
SYSTEM_EXAM = (
    "Now you are given a very long document. Please follow the instruction based on this document. For multi-choice "
    "questions, there is only a sinlge correct option. Please only provide the letter corresponding to the answer "
    "(like A or B) when answering. For other questions, please directly give the concise and accurate answer. "
)
SYSTEM_OPEN = (
    "Now you are given a very long document. Please follow the instruction after this document. These instructions "
    "may include summarizing a document, answering questions based on the document, or writing a required paragraph. "
)

SYSTEM_BY_NAME = (
    ("gsm", SYSTEM_GSM),
    ("topic", SYSTEM_TOPIC),
    ("coursera", SYSTEM_COURSERA),
    ("codeU", SYSTEM_CODE),
    ("sci_fi", SYSTEM_SCI_FI),
)
"""First match in the path of the prediction file wins."""

# No space after `assistant.`
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant.The assistant gives helpful, detailed, "
    "and polite answers to the user's questions. USER: "
)

EXAM: dict[Script, str] = {
    "llama2-chat-test": "[INST]<<SYS>>\n{system}\n<</SYS>>\n\nDocument is as follows. {document} \nQuestion: {inst}.  "
    "Please directly give the answer without any additional output or explanation [/INST]\nAnswer:",
    "longchat-test": VICUNA + "{system}Document is as follows. {document} \nQuestion: {inst}  \nAnswer:",
    "turbo16k-test": "Document is as follows. {document} Question: {inst} \n"
    "Please directly give answer without any additional output or explanation\n Answer: ",
}
OPEN: dict[Script, str] = {
    "llama2-chat-test": "[INST]<<SYS>>\n{system}\n<</SYS>>\n\nDocument is as follows. {document} Instruction: {inst} \n"
    "Answer this question with {words} words.[/INST]",
    "longchat-test": VICUNA + "{system}Document is as follows. {document} \nInstruction: {inst} "
    "The suggested output length is around {words} words.  \nASSISTANT: ",
    "turbo16k-test": "Document is as follows. {document} Instruction: {inst} "
    "The suggested output length is around {words} words. Output: ",
}
# No `[/INST]`, and no chat header for longchat.
BARE: dict[Script, str] = {
    "llama2-chat-test": "[INST]<<SYS>>\n{system}\n<</SYS>>\n\n{document}\n\n{inst}",
    "longchat-test": "{system}{document}\n\n{inst}",
    "turbo16k-test": "{document}\n\n{inst}",
}
TOPIC: dict[Script, str] = {
    "llama2-chat-test": "[INST]<<SYS>>\n{system}\n<</SYS>>\n\n{document}\n\n{inst}[/INST]",
    "longchat-test": VICUNA + "{system}{document}\n\n{inst} \nASSISTANT: ",
    # turbo has no case of its own for topic retrieval
    "turbo16k-test": EXAM["turbo16k-test"],
}

BY_STORY = "based on the world described in the document."
BY_FACT = "based on the real-world knowledge and facts up until your last training"
SECOND: dict[Script, str] = {
    "llama2-chat-test": "Please directly answer without any additional output or explanation. \nAnswer:",
    "longchat-test": "\nAnswer:",
    "turbo16k-test": "\nPlease directly give answer without any additional output or explanation \nAnswer:",
}


@dataclass(frozen=True, slots=True)
class LevalPrompt:
    """What one script sends for one question.

    Attributes:
        system: the system prompt; inside `text` for the Hugging Face scripts, a message of its own for turbo.
        text: the prompt, or for turbo the user message.
        second: sci_fi's second question (by real-world facts), else None. turbo sends it as a second user message
            behind system and first user message, without the first answer; the others send it alone, without frame.
    """

    system: str
    text: str
    second: str | None


def prediction_path(task: str, metric: str, model: str = "model") -> str:
    """Return the path of the official prediction file, on whose substrings the scripts branch.

    A model whose name holds `code`, `gsm` or `topic` would change every prompt officially; a run gives none.
    """
    # Files of the judge metrics do not name the task, so no task's special case applies there.
    judged = "llm" in metric or "human" in metric
    return f"Predictions/{metric}/{model}.pred.jsonl" if judged else f"Predictions/{metric}/{model}/{task}.pred.jsonl"


def keeps_end(path: str) -> bool:
    """Whether the document cut drops words from the front (code: the question is about its end)."""
    return "code" in path


def counts_specials(script: Script) -> bool:
    """Whether the script counts special tokens in a document: turbo counts with tiktoken, which adds none."""
    return script != "turbo16k-test"


def system_prompt(path: str, metric: str) -> str:
    """Return the system prompt for a prediction file."""
    for name, text in SYSTEM_BY_NAME:
        if name in path:
            return text
    return SYSTEM_EXAM if "exam" in metric else SYSTEM_OPEN


def build_prompt(script: Script, path: str, metric: str, document: str, question: str, reference: str) -> LevalPrompt:
    """Build the prompt of one question over an already cut document.

    Args:
        script: which official script to follow.
        path: the prediction file's path, see `prediction_path`.
        metric: the argument `--metric`.
        document: the text after `cut_document`.
        question: the row's instruction.
        reference: its gold answer, whose word count open-ended prompts state: not a blind setting.
    """
    system = system_prompt(path, metric)
    templates = _templates(path, metric)
    # split() also splits at Unicode white space; an empty reference asks for 0 words.
    words = len(reference.split())
    text = templates[script].format(system=system, document=document, inst=question, words=words)
    if (templates is BARE or templates is TOPIC) and script != "turbo16k-test":
        text = _format_again(text, document, question)
    second = question.replace(BY_STORY, BY_FACT) + SECOND[script] if "sci_fi" in path else None
    return LevalPrompt(system, text, second)


def split_template(script: Script, path: str, metric: str, reference: str) -> tuple[str, str, str, str]:
    """Return system prompt, text before the document, text between document and question, text behind the question.

    Args:
        script: which official script to follow.
        path: the prediction file's path, see `prediction_path`.
        metric: the argument `--metric`.
        reference: the gold answer, whose word count open-ended prompts state.
    """
    system, words = system_prompt(path, metric), len(reference.split())
    head, rest = _templates(path, metric)[script].split("{document}")
    between, tail = rest.split("{inst}")
    return system, head.format(system=system), between, tail.format(words=words)


def prompt_ids(script: Script, text: str, tokenizer: Tokenizer) -> tuple[int, ...] | None:
    """Return the ids a script gives its model; None for turbo, whose server takes messages."""
    return None if script == "turbo16k-test" else tuple(tokenizer.encode(text, special_tokens=True))


def _templates(path: str, metric: str) -> dict[Script, str]:
    """Return the texts of a prediction file's prompts, by script."""
    if "gsm" in path or "codeU" in path:
        return BARE
    if "topic" in path:
        return TOPIC
    return EXAM if metric == "exam_eval" else OPEN


def _format_again(text: str, document: str, question: str) -> str:
    """Fill a message that already holds document and question, so their own braces are read as fields.

    Doubled braces become single ones and `{inst}` is replaced; any field unknown or broken leaves the whole as it is.
    """
    try:
        return text.format(document=document, inst=question)
    except (LookupError, ValueError, AttributeError, TypeError, OverflowError, MemoryError):
        return text
