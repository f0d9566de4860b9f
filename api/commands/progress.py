"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

_LINE_EVERY: Final = 5.0
_BAR_EVERY: Final = 0.2
_WIDTH: Final = 30


class ProgressLine:
    """Shows phase, count, rate and remaining time on standard error."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar = sys.stderr.isatty()
        self._phase = ""
        self._since = self._shown = time.monotonic()
        self._open = False

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Show the progress."""
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._since = phase, now
            if self._bar:
                self._draw(phase, done, total, now)
        elif now - self._shown >= (_BAR_EVERY if self._bar else _LINE_EVERY):
            self._draw(phase, done, total, now)

    def close(self) -> None:
        """Erase the bar."""
        if self._open:
            click.echo("\r\033[K", nl=False, err=True)
            self._open = False

    def _draw(self, phase: str, done: int, total: int | None, now: float) -> None:
        self._shown = now
        text = describe(phase, done, total, now - self._since)
        if self._bar:
            filled = _WIDTH * done // total if total and done else 0
            bar = f"[{'#' * filled}{'-' * (_WIDTH - filled)}] " if total and done else ""
            click.echo(f"\r\033[K{self._title}: {bar}{text}", nl=False, err=True)
            self._open = True
        else:
            click.echo(f"{self._title}: {text}", err=True)


def describe(phase: str, done: int, total: int | None, seconds: float) -> str:
    """Describe the progress of a phase: count, rate and remaining time, if they are known."""
    parts = [phase]
    if done:
        parts.append(f"{done:,} of {total:,}" if total else f"{done:,}")
        if seconds >= 1:
            rate = done / seconds
            parts.append(f"{rate:,.0f}/s")
            if total and rate:
                parts.append(f"{_clock((total - done) / rate)} left")
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
