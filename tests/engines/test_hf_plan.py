from __future__ import annotations

import numpy as np
import pytest
from hf_models import document_requests, ids, request

from evalsuite.engines.hf.compute.counts import count, forwarded_sequences
from evalsuite.engines.hf.prefix.layout import Held, cached_tokens, lay_out
from evalsuite.engines.hf.prefix.plan import Ask, Costs, plan
from evalsuite.engines.hf.prefix.tree import TokenTree, as_ids, distinct_tokens, shared_length
from evalsuite.types import Request

COSTS = Costs(pair=1e-5, floor=16)


def _plan(requests: list[Request], room: int = 4096, costs: Costs = COSTS) -> list:
    return plan([Ask(r) for r in requests], costs, room)


def _branches(shots: int, documents: int = 1) -> list[Request]:
    """Prompts of several lengths of demonstrations before one document, as one document's group has them."""
    generator = np.random.default_rng(7)
    heads = [ids(generator, 900 * shot) for shot in range(shots)]
    return [
        r
        for number, head in enumerate(heads)
        for r in document_requests(3, 700 * documents, 8, name=f"{number}/", head=head)
    ]


@pytest.mark.parametrize(
    ("a", "b", "length"), [((), (1,), 0), ((1, 2, 3), (1, 2, 4), 2), ((1, 2), (1, 2), 2), ((2,), (1,), 0)]
)
def test_shared_length_is_that_of_the_common_beginning(a: tuple[int, ...], b: tuple[int, ...], length: int) -> None:
    assert shared_length(as_ids(a), as_ids(b)) == length


def test_distinct_tokens_are_the_nodes_of_the_tree() -> None:
    tree = TokenTree()
    paths = [(1, 2, 3), (1, 2, 4), (1, 2), (300, 2), (7,)]
    for path in paths:
        tree.add(path)
    assert distinct_tokens([as_ids(path) for path in paths]) == len(tree) == 7


def test_a_node_sees_its_own_path_and_nothing_else() -> None:
    tree = TokenTree()
    left, right = tree.add((5, 6)), tree.add((5, 7, 8))
    seen = tree.ancestry()
    assert [list(np.nonzero(seen[node])[0]) for node in (left, right)] == [[0, 1], [0, 2, 3]]
    assert tree.depths == [0, 1, 1, 2]


@pytest.mark.parametrize("room", [1, 30, 200, 4096])
@pytest.mark.parametrize("shots", [1, 3])
def test_every_request_is_planned_once_behind_a_prefix_it_has(room: int, shots: int) -> None:
    requests = _branches(shots)
    packs = _plan(requests, room)
    assert sorted(ask.request.key for pack in packs for ask in pack.asks) == sorted(r.key for r in requests)
    for pack in packs:
        assert pack.suffix_tokens <= room or len(pack.asks) == 1
        for ask in pack.asks:
            assert pack.prefix < len(ask.prompt)
            assert list(ask.prompt[: pack.prefix]) == list(pack.prefix_ids)
        layout = lay_out(pack)
        assert len(layout.tree) <= pack.suffix_tokens


def test_a_layouts_nodes_spell_the_prompts_and_options() -> None:
    (pack,) = _plan(document_requests(3, 200, 8))
    layout = lay_out(pack)

    def spelled(node: int) -> list[int]:
        path: list[int] = []
        while node >= 0:
            path.insert(0, layout.tree.tokens[node])
            node = layout.tree.parents[node]
        return [*pack.prefix_ids, *path]

    for ask, end, options in zip(pack.asks, layout.ends, layout.readers, strict=True):
        assert spelled(end) == list(ask.prompt)
        for option, nodes in zip(ask.request.options, options, strict=True):
            assert [spelled(node) for node in nodes] == [[*ask.prompt, *option[:at]] for at in range(len(option))]


@pytest.mark.parametrize("shots", [1, 3])
def test_a_group_forwards_hardly_more_than_its_distinct_tokens(shots: int) -> None:
    requests = _branches(shots)
    counted = count([requests], COSTS, 4096)
    assert counted.distinct <= counted.forwarded <= 1.05 * counted.distinct
    assert counted.separate == sum(len(s) for r in requests for s in forwarded_sequences(r))
    assert counted.separate > 8 * counted.forwarded


def test_long_branches_are_prefilled_apart_and_not_packed_side_by_side() -> None:
    packs = _plan(_branches(3), costs=Costs(pair=1e-3, floor=16))
    assert len(packs) == 3
    assert sorted(pack.prefix for pack in packs) == [701, 1601, 2501]


def test_demonstrations_before_the_next_document_are_not_computed_again() -> None:
    head = ids(np.random.default_rng(1), 500)
    first, second = document_requests(1, 100, 4, head=head), document_requests(2, 100, 4, head=head)
    held = Held.nothing()
    kept = [held.take(pack) for group in (first, second) for pack in _plan(group)]
    assert kept == [0, 501]


def test_cached_tokens_sum_to_what_was_not_computed() -> None:
    requests = [r for r in document_requests(3, 200, 8) if not r.options]
    (pack,) = _plan(requests)
    computed = pack.prefix + len(lay_out(pack).tree)
    cached = cached_tokens(pack, held=0)
    assert sum(len(ask.prompt) for ask in pack.asks) - sum(cached) == computed
    assert min(cached) == 0
    assert cached_tokens(pack, held=50)[cached.index(0)] == 50


def test_a_prompt_that_begins_another_and_equal_prompts_stay_in_one_plan() -> None:
    base = [0, *range(10, 60)]
    requests = [request("a", base), request("b", [*base, 7, 8]), request("c", base), request("d", [*base, 9])]
    for room in (1, 2, 100):
        packs = _plan(requests, room)
        assert sorted(a.request.key for p in packs for a in p.asks) == ["a", "b", "c", "d"]
