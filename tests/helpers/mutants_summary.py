"""Which planted faults turned a test red: ``nox -s mutants`` runs this as a script after mutmut.

python mutants_summary.py [--folder mutants] [--accepted tests/mutants.toml] [--least 85]

Prints a row a module and the faults that no test noticed, and ends with 1 where less than the least share of *all*
faults was noticed. A fault is known by its function and the expression it changes, never by its running number:
numbers move with every edit. Those in the list of accepted faults have a reason there; any other is a warning.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATUS = {1: "killed", 3: "killed", -11: "killed", -9: "killed", 0: "survived", 5: "survived", 33: "survived"}
"""By the exit code of the tests under the fault: no test for it is as bad as a green one, a crash as good as a red."""
TIMEOUTS = (36, 24, -24, 152, 255)
NUMBERED = re.compile(r"(?P<name>.+)__mutmut_(?P<number>\d+)")
LONGEST = 160
GONE = "nothing"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault."""

    module: str
    function: str
    status: str
    change: str

    @property
    def name(self) -> tuple[str, str]:
        """How the list of accepted faults names it."""
        return f"{self.module}.{self.function}", self.change


def main(arguments: Sequence[str]) -> int:
    """Prints the summary; 1 where the share is too small or nothing was tried."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=Path("mutants"))
    parser.add_argument("--accepted", type=Path, default=Path("tests/mutants.toml"))
    parser.add_argument("--least", type=float, default=85.0)
    chosen = parser.parse_args(arguments)
    found = list(read(chosen.folder))
    planted = [mutant for mutant in found if mutant.status != "not run"]
    if not planted:
        print(f"no planted fault was tried in {chosen.folder}")
        return 1
    print("\n".join(table(planted)))
    print("\n".join(surprises(found, accepted(chosen.accepted))))
    share = noticed(planted)
    print(f"{share:.1f} % of {len(planted)} planted faults turned a test red; at least {chosen.least:g} % must")
    return int(share < chosen.least)


def read(folder: Path) -> Iterator[Mutant]:
    """Every planted fault of mutmut's folder."""
    for meta in sorted(folder.rglob("*.py.meta")):
        codes: Mapping[str, int | None] = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        functions = _functions(meta.with_suffix("").read_text("utf-8")) if codes else {}
        for key, code in codes.items():
            module, _, mangled = key.rpartition(".")
            found = NUMBERED.fullmatch(mangled)
            assert found is not None, f"mutmut names a fault {key!r}"
            change = described(functions[f"{found['name']}__mutmut_orig"], functions[mangled])
            yield Mutant(module, _plain(found["name"]), _status(code), change)


def table(planted: Iterable[Mutant]) -> Iterator[str]:
    """A row a module and one for all: faults, killed, timeouts, survived, share noticed."""
    by_module: dict[str, list[Mutant]] = {}
    for mutant in planted:
        by_module.setdefault(mutant.module, []).append(mutant)
    everything = [mutant for mutants in by_module.values() for mutant in mutants]
    yield f"{'module':44} {'faults':>7} {'killed':>7} {'timeout':>8} {'survived':>9} {'share':>7}"
    for module, mutants in [*by_module.items(), ("all", everything)]:
        count = Counter(mutant.status for mutant in mutants)
        left = len(mutants) - count["killed"] - count["timeout"]
        yield (
            f"{module:44} {len(mutants):7} {count['killed']:7} {count['timeout']:8} {left:9} {noticed(mutants):6.1f} %"
        )


def noticed(mutants: Sequence[Mutant]) -> float:
    """The share of faults that turned a test red, in percent; one that makes it hang fails by its time limit."""
    return 100 * sum(mutant.status in {"killed", "timeout"} for mutant in mutants) / len(mutants)


def surprises(planted: Sequence[Mutant], reasons: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The survivors that no reason is given for, and the reasons that nothing survives for any more."""
    survived = dict.fromkeys(one.name for one in planted if one.status not in {"killed", "timeout", "not run"})
    tried = {one.name[0] for one in planted} - {one.name[0] for one in planted if one.status == "not run"}
    yield f"{sum(name in reasons for name in survived)} of {len(survived)} different survivors have a reason"
    for function, change in survived:
        if (function, change) not in reasons:
            yield f"warning: no test noticed in {function}: {change}"
    for function, change in reasons:
        if function in tried and (function, change) not in survived:
            yield f"note: a test notices now, take it off the list: {function}: {change}"


def accepted(path: Path) -> dict[tuple[str, str], str]:
    """The reason of each accepted fault, by function and change."""
    entries = tomllib.loads(path.read_text("utf-8")).get("accepted", []) if path.exists() else []
    return {
        (function, change): entry["reason"]
        for entry in entries
        for function in entry["functions"]
        for change in entry["changes"]
    }


def described(was: ast.AST, becomes: ast.AST) -> str:
    """The smallest expression that tells both functions apart, as ``was -> becomes``."""
    if isinstance(was, ast.arguments) and isinstance(becomes, ast.arguments):
        return f"default: {_unlike(was, becomes)} -> {_unlike(becomes, was)}"
    if not isinstance(was, ast.Call) or not isinstance(becomes, ast.Call):
        inner = _only_difference(was, becomes)
        return described(*inner) if inner else f"{_text(was)} -> {_text(becomes)}"
    before, after = [*was.args, *was.keywords], [*becomes.args, *becomes.keywords]
    if ast.dump(was.func) != ast.dump(becomes.func):
        return described(was.func, becomes.func)
    changed = [pair for pair in zip(before, after, strict=False) if ast.dump(pair[0]) != ast.dump(pair[1])]
    if len(before) == len(after) and len(changed) == 1:
        ((old, new),) = changed
        inner = _only_difference(old, new)
        # a name or a constant alone says too little: it is named with what it is passed to
        return described(*inner) if inner and _says_enough(*inner) else _argument(was, old, new)
    gone = next((old for old, new in zip(before, after, strict=False) if ast.dump(old) != ast.dump(new)), before[-1])
    return _argument(was, gone, None)


def _only_difference(was: ast.AST, becomes: ast.AST) -> tuple[ast.AST, ast.AST] | None:
    """The one pair of parts of two nodes of a kind that differ, if it can stand alone as text."""
    if type(was) is not type(becomes):
        return None
    pairs: list[tuple[object, object]] = []
    for field in was._fields:
        old, new = getattr(was, field, None), getattr(becomes, field, None)
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            pairs += zip(old, new, strict=True)
        else:
            pairs.append((old, new))
    differ = [(old, new) for old, new in pairs if _dumped(old) != _dumped(new)]
    if len(differ) != 1:
        return None
    old, new = differ[0]
    alone = (ast.expr, ast.stmt, ast.keyword, ast.comprehension, ast.arguments, ast.ExceptHandler)
    if not isinstance(old, alone) or not isinstance(new, alone):
        return None
    return (old, new) if isinstance(was, ast.FunctionDef) or _says_enough(old, new) else None


def _unlike(arguments: ast.arguments, others: ast.arguments) -> str:
    """Of a function's arguments, those that differ."""
    theirs = ast.unparse(others).split(", ")
    return ", ".join(text for text in ast.unparse(arguments).split(", ") if text not in theirs)


def _says_enough(old: ast.AST, new: ast.AST) -> bool:
    trivial = (ast.Constant, ast.Name)
    return not isinstance(old, trivial) and not isinstance(new, trivial)


def _argument(call: ast.Call, old: ast.AST, new: ast.AST | None) -> str:
    return f"{_text(call.func)}: {_text(old)} -> {GONE if new is None else _text(new)}"


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def _dumped(value: object) -> str:
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _functions(source: str) -> dict[str, ast.FunctionDef]:
    """Every function and method of a mutated module, its name the same in all copies."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
    for name, node in found.items():
        node.name = name.partition("__mutmut_")[0]
    return found


def _plain(mangled: str) -> str:
    """``x_fit`` is fit; ``x\u01c1Shrink\u01c1enough`` is Shrink.enough."""
    parts = mangled.split("\u01c1")
    return ".".join(parts[1:]) if len(parts) > 1 else mangled.removeprefix("x_")


@cache
def _status(code: int | None) -> str:
    if code is None:
        return "not run"
    return "timeout" if code in TIMEOUTS else STATUS.get(code, "suspicious")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
