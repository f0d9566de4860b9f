"""Files that may be compressed: read whole, or refused."""

from pathlib import Path

import pytest

from kg.rdf.compression import frame, open_packed, pack_file, packed_name

LINES = [b"%d <a:b> <c:d> .\n" % number for number in range(200_000)]


def written(path: Path) -> bytes:
    path.write_bytes(b"".join(LINES))
    pack_file(path)
    return packed_name(path).read_bytes()


def test_frames_that_are_added_are_read_on(tmp_path: Path) -> None:
    path = tmp_path / "added.nq"
    written(path)
    with packed_name(path).open("ab") as out:
        out.write(frame((b"one more\n",)))
    with open_packed(packed_name(path)) as file:
        assert list(file) == [*LINES, b"one more\n"]


@pytest.mark.parametrize("kept", [0.001, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_no_shorter_file(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "added.nq"
    whole = written(path)
    packed_name(path).write_bytes(whole[: int(len(whole) * kept)])
    with open_packed(packed_name(path)) as file, pytest.raises(OSError, match="cut off"):
        file.read()


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "added.nq"
    whole = written(path)
    packed_name(path).write_bytes(whole[:1000] + b"\xff" * 100 + whole[1100:])
    with open_packed(packed_name(path)) as file, pytest.raises(OSError, match="damaged"):
        file.read()
