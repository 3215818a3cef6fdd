"""File descriptors: what is asked of the system, and what is said when it is not enough."""

import resource

from cdn.process.descriptors import are_plenty, are_short, raise_limit, too_many


def test_connections_that_fit_are_not_worth_a_word() -> None:
    assert too_many(10_000, 512, limit=20_000) is None


def test_connections_that_do_not_fit_are_said_with_the_remedy() -> None:
    complaint = too_many(10_000, 512, limit=1024)
    assert complaint is not None
    assert complaint.startswith("10000 connections need 10608 file descriptors, and there are 1024")
    assert "LimitNOFILE=" in complaint


def test_as_many_as_there_are_descriptors_for_always_fit() -> None:
    assert too_many(0, 512, limit=1024) is None


def test_without_a_limit_everything_fits() -> None:
    assert too_many(10**6, 512, limit=resource.RLIM_INFINITY) is None


def test_the_soft_limit_becomes_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, before[1]), before[1]))
    try:
        assert raise_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_with_hardly_any_open_is_not_short() -> None:
    assert not are_short()
    assert are_plenty()
