"""What a load needs of the machine that it runs on: descriptors, and source ports."""

import math
import resource

from origin.bench.errors import CannotMeasure
from origin.bench.target import Target

SPARE_DESCRIPTORS = 64
PORTS_PER_ADDRESS = 25_000
"""Linux has 28,232 by default (net.ipv4.ip_local_port_range); some are still closing."""
MOST_ADDRESSES = 250


def check_descriptors(connections: int, hard_limit: int | None = None) -> None:
    """Raise if the process could not hold so many; it raises its soft limit by itself."""
    if hard_limit is None:
        hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard_limit != resource.RLIM_INFINITY and connections + SPARE_DESCRIPTORS > hard_limit:
        raise CannotMeasure(
            f"{connections} connections need {connections + SPARE_DESCRIPTORS} open files, and "
            f"this session may have {hard_limit} (ulimit -Hn). Raise it for your user in "
            "/etc/security/limits.conf (nofile), or ask for fewer. The server needs as many."
        )


def source_addresses(target: Target, connections: int, wanted: int | None) -> int:
    """Return over how many loopback addresses to spread; 0: the kernel chooses."""
    if wanted is not None:
        if wanted > 0 and not target.is_loopback:
            raise CannotMeasure(
                f"Several source addresses are there on loopback only, and {target.address} is "
                "another machine: run the load on several machines instead."
            )
        return min(wanted, MOST_ADDRESSES)
    needed = math.ceil(connections / PORTS_PER_ADDRESS)
    if needed > 1 and not target.is_loopback:
        raise CannotMeasure(
            f"One machine has ports for about {PORTS_PER_ADDRESS} connections to one server, and "
            f"{connections} are wanted: run the load on several machines."
        )
    return needed if needed > 1 else 0
