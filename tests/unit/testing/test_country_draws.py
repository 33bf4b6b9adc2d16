import numpy as np
import pytest

from ceir.testing.country.draws import Draws, Permutation, tail_sizes

DRAWS = Draws(seed=7)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 63, 64, 65, 1000, 4097])
def test_a_permutation_gives_each_number_one_place_and_can_be_undone(size: int) -> None:
    numbers = np.arange(size)
    permutation = DRAWS.permutation("some", size)
    places = permutation.of(numbers)
    assert sorted(places.tolist()) == numbers.tolist()
    assert np.array_equal(permutation.undone(places), numbers)


def test_a_permutation_of_ten_thousand_million_can_be_undone() -> None:
    permutation = Permutation(10**10, key=99)
    numbers = np.arange(10**10 - 5000, 10**10)
    places = permutation.of(numbers)
    assert len(set(places.tolist())) == 5000
    assert 0 <= places.min() <= places.max() < 10**10
    assert np.array_equal(permutation.undone(places), numbers)


def test_a_permutation_leaves_neighbours_apart() -> None:
    places = DRAWS.permutation("some", 100_000).of(np.arange(100_000))
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.02


def test_a_draw_depends_on_its_index_and_not_on_its_neighbours() -> None:
    together = DRAWS.below("dice", np.arange(1000), 6)
    alone = np.concatenate([DRAWS.below("dice", np.arange(i, i + 1), 6) for i in range(1000)])
    assert np.array_equal(together, alone)


def test_draws_are_the_same_numbers_on_every_machine() -> None:
    assert DRAWS.below("dice", np.arange(12), 6).tolist() == [0, 4, 5, 1, 3, 4, 5, 2, 4, 2, 3, 1]


def test_streams_and_seeds_differ() -> None:
    index = np.arange(64)
    word = DRAWS.words("one", index)
    assert not np.array_equal(word, DRAWS.words("two", index))
    assert not np.array_equal(word, Draws(8).words("one", index))


def test_shares_are_met() -> None:
    index = np.arange(200_000)
    assert DRAWS.chance("chance", index, 0.3).mean() == pytest.approx(0.3, abs=0.01)
    assert not DRAWS.chance("chance", index, 0.0).any()
    assert DRAWS.chance("chance", index, 1.0).all()
    picked = np.bincount(DRAWS.pick("pick", index, [1, 0, 3]), minlength=3) / len(index)
    assert picked.tolist() == pytest.approx([0.25, 0, 0.75], abs=0.01)


def test_tail_sizes_fall_with_the_wanted_exponent() -> None:
    sizes = tail_sizes(10_000, alpha=1.6, minimum=3)
    assert sizes.min() == 3
    assert (np.diff(sizes) <= 0).all()
    # A tail of size ** -1.6: twice the size, a third (2 ** -1.6) as many.
    assert (sizes >= 60).sum() / (sizes >= 30).sum() == pytest.approx(2**-1.6, rel=0.03)
