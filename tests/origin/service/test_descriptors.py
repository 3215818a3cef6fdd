"""Whether descriptors are short; how that goes with a real process is in tests/plays."""

import resource

from origin.service.descriptors import SPARE, are_plenty, are_short, raise_limit


def test_a_process_with_hardly_any_open_is_not_short() -> None:
    assert not are_short()
    assert are_plenty()


def test_the_last_of_them_are_kept_back() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SPARE + 1, before[1]))
    try:
        assert are_short()
        assert not are_plenty()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_becomes_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, before[1]), before[1]))
    try:
        raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
