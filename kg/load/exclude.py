"""Excluding things from a load, with everything that belongs only to them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kg.load.load_folder import LoadFolder
from kg.rdf.compression import is_packed
from kg.rdf.sorted_lines import read_lines, subject_of, write_lines
from kg.terms import term

_OBJECT: Final = re.compile(rb"^<[^>]*> (<[^>]*>) (<[^>]*>) ")
# The subject of an upward link is owned by its object; the object of a downward link by its subject.
_UPWARD: Final = frozenset(
    str(term(f"dg:{name}")).encode() for name in ("about", "interactionOf", "quantityOf", "statusOf")
)
_DOWNWARD: Final = frozenset(
    str(term(curie)).encode()
    for curie in ("dg:hasInteraction", "dg:attributionStep", "dg:span", "dg:duration", "oa:hasSelector")
)
_MEMBER: Final = str(term("dg:groupMember")).encode()
_ROUNDS: Final = 5


def leave_out(folder: LoadFolder, skip: Iterable[str]) -> tuple[int, int, list[str]]:
    """Remove things, and everything that belongs only to them, from the changes of a load.

    Claims about nothing else, their attribution steps and spans, and interactions are removed with an event;
    what other things refer to is kept. Returns the numbers of statements left to add and to remove, and the
    names in `skip` that the load does not change; if there are any, nothing is removed.
    """
    wanted = {f"<{iri}>".encode() for iri in skip}
    present = {
        subject for path in (folder.added, folder.removed) for subject in map(subject_of, read_lines(path))
        if subject in wanted
    }  # fmt: skip
    missing = sorted(name[1:-1].decode() for name in wanted - present)
    if missing:
        return 0, 0, missing
    out = _with_parts(folder.added, wanted)
    return _filter(folder.added, out), _filter(folder.removed, out), []


def _with_parts(path: Path, start: set[bytes]) -> set[bytes]:
    out = set(start)
    for _ in range(_ROUNDS):
        before = len(out)
        targets: dict[bytes, set[bytes]] = defaultdict(set)
        owners: dict[bytes, set[bytes]] = defaultdict(set)
        groups: dict[bytes, set[bytes]] = defaultdict(set)
        for line in read_lines(path):
            match = _OBJECT.match(line)
            if match is None:
                continue
            subject, (predicate, value) = subject_of(line), match.groups()
            if predicate in _UPWARD:
                targets[subject].add(value)
            elif predicate in _DOWNWARD:
                owners[value].add(subject)
            elif predicate == _MEMBER:
                groups[subject].add(value)
        out |= {subject for subject, values in targets.items() if values <= out}
        out |= {value for value, subjects in owners.items() if subjects <= out}
        # A group needs two records.
        out |= {group for group, members in groups.items() if len(members - out) < 2 and members & out}
        if len(out) == before:
            break
    return out


def _filter(path: Path, out: set[bytes]) -> int:
    unfinished = path.with_name(path.name + ".part")

    def stays(line: bytes) -> bool:
        match = _OBJECT.match(line)
        return not (subject_of(line) in out or (match and match[1] == _MEMBER and match[2] in out))

    count = write_lines(filter(stays, read_lines(path)), unfinished)
    # The rest is written uncompressed.
    unfinished.replace(path.with_name(path.name.removesuffix(path.suffix)) if is_packed(path) else path)
    if is_packed(path):
        path.unlink()
    return count
