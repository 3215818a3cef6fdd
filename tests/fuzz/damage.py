"""Damage to bytes that knows nothing of what they mean, and a stock of awkward numbers."""

from random import Random

AWKWARD = (
    0, 1, 2, 3, 7, 8, 9, 0x0F, 0x10, 0x40, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF,
    0x10000, 0x7FFFFF, 0x800000, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
)  # fmt: skip


def awkward(chance: Random, size: int) -> bytes:
    """A number at which something often ends or wraps, in ``size`` bytes."""
    return (chance.choice(AWKWARD) % (1 << 8 * size)).to_bytes(size)


def damaged(chance: Random, data: bytes, *, near: int | None = None) -> bytes:
    """``data`` with one fault, within its first ``near`` bytes if that is given."""
    if not data:
        return chance.randbytes(chance.randrange(4))
    at = chance.randrange(min(len(data), near or len(data)))
    match chance.randrange(8):
        case 0:
            return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]
        case 1:
            return data[:at] + chance.randbytes(1) + data[at + 1 :]
        case 2:
            size = chance.randrange(1, 5)
            return data[:at] + awkward(chance, size) + data[at + size :]
        case 3:
            return data[:at]
        case 4:
            return data[:at] + data[at + chance.randrange(1, 9) :]
        case 5:
            return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
        case 6:
            piece = data[at : at + chance.randrange(1, 33)]
            return data[:at] + piece * chance.choice((2, 3, 50)) + data[at:]
        case _:
            return data + chance.randbytes(chance.choice((1, 4, 300)))
