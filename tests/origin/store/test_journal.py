"""The journal's format: what was written comes back, and what is broken ends it cleanly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.store.journal import FILE_HEAD, ForeignFileError, Kind, Pieces, read, record

Written = list[tuple[Kind, bytes, Pieces]]

records = st.lists(
    st.tuples(
        st.sampled_from(Kind),
        st.binary(max_size=40),
        st.lists(st.binary(max_size=40), max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=4,
)


def file_of(written: Written) -> bytes:
    pieces = [piece for kind, fields, body in written for piece in record(kind, fields, body)]
    return FILE_HEAD + b"".join(pieces)


def read_back(content: bytes) -> list[tuple[Kind, bytes, bytes]]:
    return [(each.kind, each.fields, bytes(each.body)) for each in read(content).records]


def flat(written: Written) -> list[tuple[Kind, bytes, bytes]]:
    return [(kind, fields, b"".join(body)) for kind, fields, body in written]


@given(records)
def test_what_was_written_comes_back(written: Written) -> None:
    contents = read(file_of(written))
    assert read_back(file_of(written)) == flat(written)
    assert contents.fault is None
    assert contents.whole_bytes == len(file_of(written))


@given(records)
def test_a_file_that_is_cut_anywhere_holds_all_records_before_the_cut(written: Written) -> None:
    whole = file_of(written)
    ends = [len(file_of(written[:count])) for count in range(len(written) + 1)]
    for length in range(len(whole)):
        contents = read(whole[:length])
        count = sum(end <= length for end in ends[1:])
        assert read_back(whole[:length]) == flat(written[:count])
        assert contents.whole_bytes == (ends[count] if length >= len(FILE_HEAD) else 0)
        assert (contents.fault is None) == (length in ends)
        assert read(whole[: contents.whole_bytes]).records == contents.records


@given(records, st.data())
def test_what_says_how_to_read_on_is_not_believed_when_it_is_damaged(
    written: Written, data: st.DataObject
) -> None:
    content = bytearray(file_of(written))
    count = data.draw(st.integers(0, len(written) - 1))
    begin = len(file_of(written[:count]))
    at = data.draw(st.integers(begin, begin + len(record(*written[count])[0]) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert read_back(bytes(content)) == flat(written[:count])
    assert read(bytes(content)).fault is not None


def test_the_file_of_another_version_is_told_from_one_that_is_not_ours() -> None:
    with pytest.raises(ForeignFileError, match="version 2 of the journal, and this is 1"):
        read(b"TIDEKEPT\x00\x02")
    with pytest.raises(ForeignFileError, match="not a file of ours"):
        read(b"#EXTM3U\n#EXT-X-VERSION:7\n")


def test_a_record_of_a_kind_that_nobody_knows_ends_the_file() -> None:
    whole = file_of([(Kind.PART, b"{}", (b"media",))])
    assert read(whole).fault is None
    unknown = whole[: len(FILE_HEAD)] + b"\x09" + whole[len(FILE_HEAD) + 1 :]
    assert read(unknown).records == ()


def test_a_body_is_passed_on_without_a_copy() -> None:
    payload = bytes(1000)
    assert record(Kind.PART, b"{}", (payload,))[1] is payload
