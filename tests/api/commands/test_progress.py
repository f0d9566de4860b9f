"""How far long work is, in words."""

import pytest

from api.commands.progress import ProgressLine, describe


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (0, None, 0.0, "reading"),
        (500, None, 0.5, "reading, 500"),
        (1000, None, 2.0, "reading, 1,000, 500/s"),
        (1000, 4000, 10.0, "reading, 1,000 of 4,000, 100/s, 0:30 left"),
        (4000, 400000, 10.0, "reading, 4,000 of 400,000, 400/s, 16:30 left"),
    ],
)
def test_count_rate_and_remaining_time(done: int, total: int | None, seconds: float, words: str) -> None:
    assert describe("reading", done, total, seconds) == words


def test_nothing_is_drawn_away_from_a_terminal_for_short_work(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine("file.ttl")
    line("reading", 0)
    line("reading", 10)
    line.close()
    assert capsys.readouterr().err == ""
