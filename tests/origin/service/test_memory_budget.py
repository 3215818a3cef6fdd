from origin.service.memory_budget import MemoryBudget, mib, used_bytes


def test_there_is_room_below_four_fifths_of_the_budget() -> None:
    assert MemoryBudget(2 * used_bytes()).shortage() is None


def test_a_nearly_full_budget_is_told_with_what_to_do() -> None:
    reason = MemoryBudget(used_bytes()).shortage()
    assert reason is not None
    assert "try again later" in reason


def test_without_a_budget_it_is_what_the_machine_has() -> None:
    budget = MemoryBudget(mib(0))
    assert budget.budget_bytes > used_bytes()
    assert budget.shortage() is None


def test_this_process_uses_some_memory_and_not_all_of_it() -> None:
    assert mib(5) < used_bytes() < mib(8000)
