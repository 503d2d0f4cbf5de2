"""The work list: every case is in one place, the long ones come first, and leases grow small."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from wainwright.domain.work_list import MAX_LEASE, WorkList, WorkOrder, estimate_durations

LANES = 4


def an_order(*expected: float) -> WorkOrder:
    return WorkOrder([f"test_{number}" for number in range(len(expected))], expected)


def a_list(order: WorkOrder, lanes: int = LANES) -> WorkList:
    return WorkList(fence=1, lanes=lanes, total=len(order))


class TestExpectedDurations:
    def test_are_the_measured_ones_else_their_files_average_else_that_of_all(self) -> None:
        cases = [("a", "one.py"), ("b", "one.py"), ("c", "one.py"), ("d", "two.py")]

        assert estimate_durations(cases, {"a": 100.0, "b": 300.0}) == [100.0, 300.0, 200.0, 200.0]

    def test_are_all_the_same_where_nothing_is_known(self) -> None:
        assert len(set(estimate_durations([("a", "one.py"), ("b", "two.py")], {}))) == 1


class TestOrder:
    def test_has_the_longest_first(self) -> None:
        cases = [(name, "one.py") for name in "abc"]

        assert WorkOrder.of(cases, {"a": 100.0, "b": 300.0, "c": 200.0}, LANES).ids == ("b", "c", "a")

    def test_keeps_short_ones_in_the_order_of_collection_so_that_files_stay_together(self) -> None:
        cases = [(f"{file}::{number}", file) for file in ("one.py", "two.py") for number in range(30)]
        durations = {case: 10.0 + number % 7 for number, (case, _) in enumerate(cases)} | {"two.py::7": 900.0}

        order = WorkOrder.of(cases, durations, LANES)

        assert order.ids == ("two.py::7", *(case for case, _ in cases if case != "two.py::7"))

    def test_is_that_of_collection_where_nothing_is_known(self) -> None:
        cases = [(name, "one.py") for name in "cab"]

        assert WorkOrder.of(cases, {}, LANES).ids == ("c", "a", "b")

    def test_of_no_cases_is_empty_and_its_list_finished(self) -> None:
        order = WorkOrder.of([], {}, LANES)

        assert a_list(order).is_finished


class TestShares:
    def test_are_single_cases_where_each_is_a_large_part(self) -> None:
        order = an_order(20.0, 10.0, 10.0, 1.0, 1.0)

        assert a_list(order).share(order) == 1

    def test_are_several_cases_in_the_beginning_of_many(self) -> None:
        order = an_order(*[1.0] * 1_000)

        assert a_list(order).share(order) == MAX_LEASE
        assert a_list(order).model_copy(update={"given": 900}).share(order) == 3
        assert a_list(order).model_copy(update={"given": 970}).share(order) == 1
        assert a_list(order).model_copy(update={"given": 1_000}).share(order) == 0

    def test_ahead_of_need_are_of_short_cases_alone(self) -> None:
        order = an_order(20.0, *[1.0] * 60)
        fresh = a_list(order)
        begun, _ = fresh.lease("a", 1)

        assert not fresh.may_lease_ahead(order)
        assert begun.may_lease_ahead(order)
        assert not fresh.model_copy(update={"given": 61}).may_lease_ahead(order)


def test_what_comes_back_is_leased_before_the_rest() -> None:
    order = an_order(5.0, 4.0, 3.0, 2.0)
    work, taken = a_list(order).lease("a", 2)
    work = work.give_back("a", [1])

    work, again = work.lease("b", 2)

    assert (taken, again) == ((0, 1), (1, 2))
    assert work.held == {"b": (1, 2)}


def test_nobody_gives_back_what_he_does_not_hold() -> None:
    work, _ = a_list(an_order(1.0, 1.0)).lease("a", 1)

    assert work.give_back("b", [0]).returned == ()
    assert work.give_back("a", [0, 1]).returned == (0,)


def makespan(durations: list[float], known: dict[str, float], lanes: int) -> float:
    """When lanes that all pull from one list are done, if leases cost nothing and nothing is leased ahead."""
    cases = [(str(number), "one.py") for number in range(len(durations))]
    order = WorkOrder.of(cases, known, lanes)
    work = WorkList(fence=1, lanes=lanes, total=len(order))
    free = dict.fromkeys(map(str, range(lanes)), 0.0)
    while not work.is_empty:
        lane = min(free, key=lambda each: (free[each], each))
        work, taken = work.lease(lane, work.share(order))
        free[lane] += sum(durations[int(order.ids[position])] for position in taken)
    return max(free.values())


@given(st.lists(st.floats(1.0, 20.0), min_size=1, max_size=120), st.integers(1, 8))
def test_lanes_that_pull_by_known_durations_end_together(durations: list[float], lanes: int) -> None:
    known = {str(number): duration for number, duration in enumerate(durations)}

    # Graham's bound for any list, and what is leased together: no lane idles for longer than the last case of another takes.
    bound = sum(durations) / lanes + max(durations) * (1 - 1 / lanes)
    assert makespan(durations, known, lanes) <= bound * (1 + 1 / 8)


def test_a_skewed_suite_ends_near_the_ideal() -> None:
    durations = [20.0 if number % 10 == 9 else 1.0 + number % 3 for number in range(60)]
    known = {str(number): duration for number, duration in enumerate(durations)}
    ideal = max(sum(durations) / LANES, *durations)

    assert makespan(durations, known, LANES) <= 1.05 * ideal


class Leasing(RuleBasedStateMachine):
    """Holders lease, finish, give back and are lost, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.order = an_order(*[float(20 - number) for number in range(20)])
        self.work = a_list(self.order)
        self.done: set[int] = set()

    holders = st.sampled_from(["owner", "a", "b", "c"])

    @rule(holder=holders, number=st.integers(0, 5), data=st.data())
    def lease(self, holder: str, number: int, data: st.DataObject) -> None:
        held = self.work.held.get(holder, ())
        done = data.draw(st.sets(st.sampled_from(held)) if held else st.just(set[int]()))
        waiting = list(self.work.waiting())
        before = self.work.version
        self.work, taken = self.work.lease(holder, number, done)
        assert list(taken) == waiting[:number]
        assert self.work.version == before + 1
        self.done |= done

    @precondition(lambda self: self.work.held)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(sorted(self.work.held)))
        held = self.work.held[holder]
        back = data.draw(st.sets(st.sampled_from(held)))
        keeps = data.draw(st.sets(st.sampled_from(held))) - back
        self.work = self.work.give_back(holder, back, keeps=keeps)
        self.done |= set(held) - back - keeps

    @invariant()
    def every_case_is_in_one_place(self) -> None:
        places = [*self.work.waiting(), *(at for held in self.work.held.values() for at in held), *self.done]
        assert sorted(places) == list(range(self.work.total))

    @invariant()
    def what_is_finished_is_done(self) -> None:
        assert self.work.is_finished == (len(self.done) == self.work.total)


def test_no_case_is_lost_or_doubled_whatever_holders_do() -> None:
    run_state_machine_as_test(Leasing)
