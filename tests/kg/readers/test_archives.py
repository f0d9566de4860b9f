"""Files as they come: packed, damaged, hostile."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.compression import zstd
from kg.readers.archives import MAX_RATIO, parts, plain_name, the_one_part

TEXT = b"".join(b"%d\tsome text that repeats\n" % n for n in range(20_000))


def whole(path: Path, **limit: int) -> list[tuple[str, bytes]]:
    found = []
    for part in parts(path, path.name, **limit):
        with part.open() as stream:
            found.append((part.name, stream.read()))
    return found


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    return zstd.compress(data)


def packed_zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def packed_tar(*members: tuple[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv.bz2", bz2.compress(TEXT[:1000]) + bz2.compress(TEXT[1000:])),
        ("a.csv.xz", lzma.compress(TEXT[:1000]) + lzma.compress(TEXT[1000:])),
        ("a.tar", packed_tar(("a.csv", TEXT))),
        ("a.tgz", packed_tar(("a.csv", TEXT), mode="w:gz")),
        ("a.tar.bz2", packed_tar(("a.csv", TEXT), mode="w:bz2")),
        ("a.tar.zst", zst(packed_tar(("a.csv.gz", gz(TEXT))))),
        ("no-ending", packed_zip(("a.csv.xz", lzma.compress(TEXT)))),
        ("a.csv", TEXT),
        ("a.csv.gz", gz(TEXT)),
        ("a.csv.gz", gz(TEXT[:1000]) + gz(TEXT[1000:])),
        ("a.csv.gz", gz(TEXT) + b"\0" * 700),
        ("a.csv.zst", zst(TEXT)),
        ("a.csv.zst", zst(TEXT[:1000]) + zst(TEXT[1000:])),
        ("a.zip", packed_zip(("a.csv", TEXT))),
        ("a.zip", packed_zip(("a.csv.gz", gz(TEXT)))),
        ("named-wrongly.csv", gz(TEXT)),
    ],
    ids=[
        "bz2 of two streams",
        "xz of two streams",
        "tar",
        "tgz",
        "tar.bz2",
        "gz in tar.zst",
        "xz in zip",
        "plain",
        "gz",
        "gz of two members",
        "padded gz",
        "zst",
        "zst of two frames",
        "zip",
        "gz in zip",
        "name",
    ],
)
def test_what_is_packed_comes_out_whole(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert whole(path) == [(name, TEXT)]


def test_a_folder_and_a_zip_of_several_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    (folder / "2018").mkdir(parents=True)
    (folder / "2018" / "b.csv").write_bytes(b"b")
    (folder / "2018" / "a.csv.gz").write_bytes(gz(b"a"))
    (folder / ".hidden").write_bytes(b"h")
    assert whole(folder) == [("days/2018/a.csv.gz", b"a"), ("days/2018/b.csv", b"b")]
    path = tmp_path / "two.zip"
    path.write_bytes(packed_zip(("z.csv", b"z"), ("y/x.csv", b"x"), ("__MACOSX/z.csv", b"m")))
    assert whole(path) == [("two.zip/y/x.csv", b"x"), ("two.zip/z.csv", b"z")]


def test_a_tar_of_several_is_read_in_the_order_of_names_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "two.tar.gz"
    path.write_bytes(packed_tar(("z.csv", b"z"), ("y/x.csv", b"x"), ("._z.csv", b"m"), mode="w:gz"))
    assert whole(path) == [("two.tar.gz/y/x.csv", b"x"), ("two.tar.gz/z.csv", b"z")]
    gc.collect()
    assert list(scratch.iterdir()) == []


def test_zips_one_after_the_other_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    first, second = packed_zip(("a.csv", b"a"), ("c.csv", b"c")), packed_zip(("b.csv", b"b"))
    path.write_bytes(first + second)
    assert [data for _, data in whole(path)] == [b"a", b"b", b"c"]
    path.write_bytes(b"#!/bin/sh\n" + second)  # a self-extracting archive begins with a program
    assert whole(path) != []


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataSyntaxError, match="no files"):
        whole(tmp_path)


PACKED = {
    "a.csv.gz": gz(TEXT),
    "a.csv.zst": zst(TEXT),
    "a.csv.bz2": bz2.compress(TEXT),
    "a.csv.xz": lzma.compress(TEXT),
    "a.zip": packed_zip(("a.csv", TEXT)),
    "a.tar.gz": packed_tar(("a.csv", TEXT), mode="w:gz"),
    "a.tar": packed_tar(("a.csv", TEXT)),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("keep", [0.95, 0.5])
def test_cut_off(tmp_path: Path, name: str, keep: float) -> None:
    data = PACKED[name]
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(DataSyntaxError, match="cut off") as caught:
        whole(path)
    assert caught.value.where == name
    assert caught.value.mend


@pytest.mark.parametrize("name", [name for name in PACKED if name != "a.tar"])
def test_damaged_in_the_middle(tmp_path: Path, name: str) -> None:
    data = bytearray(PACKED[name])
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(b ^ 0xFF for b in data[middle : middle + 40])
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataSyntaxError, match=r"damaged|cut off"):
        whole(path)


ZEROS = bytes(64 << 20)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.gz", gz),
        ("a.zst", zst),
        ("a.bz2", bz2.compress),
        ("a.xz", lzma.compress),
        ("a.zip", lambda zeros: packed_zip(("a", zeros))),
        ("a.tar.gz", lambda zeros: packed_tar(("a", zeros), mode="w:gz")),
    ],
)
def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    zeros = ZEROS
    path = tmp_path / name
    path.write_bytes(pack(zeros))
    assert path.stat().st_size * MAX_RATIO < len(zeros)
    with pytest.raises(TooLargeError, match="bomb"):
        whole(path)


def test_a_limit_on_what_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gz(TEXT))
    with pytest.raises(TooLargeError, match="more than 1000 bytes"):
        whole(path, limit=1000)
    assert whole(path, limit=len(TEXT)) == [("a.csv.gz", TEXT)]


def test_archives_in_archives_in_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gz(gz(gz(TEXT))))
    with pytest.raises(TooLargeError, match="packed more than twice"):
        whole(path)


def test_the_one_file_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.ttl.gz"
    path.write_bytes(gz(TEXT))
    part = the_one_part(path, "a.ttl.gz", limit=1 << 30)
    assert plain_name(part) == "a.ttl"
    with part.open() as stream:
        assert stream.read() == TEXT
    with pytest.raises(TooLargeError), the_one_part(path, "a.ttl.gz", limit=100).open() as stream:
        stream.read()
    two = tmp_path / "two.zip"
    two.write_bytes(packed_zip(("a", b"a"), ("b", b"b")))
    with pytest.raises(UnsupportedFormatError, match="2 files"):
        the_one_part(two, "two.zip", limit=100)
