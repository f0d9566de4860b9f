"""A reader that is lent to one query, and the answer that it holds."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from time import monotonic
from typing import Any, Protocol

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg.errors import StoreFailedError
from kg.rdf.formats import Format, Kind
from kg.store.answer import Row
from kg.store.cancellation import on_stop
from kg.store.isolated.channel import Channel, ChannelClosedError, ChannelTimeoutError
from kg.store.isolated.keeper import LAST_WORDS, stopped
from kg.store.isolated.processes import EngineProcess
from kg.store.seam import QueryDataset


class Lender(Protocol):
    """Who lends readers: `timeout` seconds and `memory` bytes are what a query may take."""

    timeout: float
    memory: int

    def give_back(self, reader: EngineProcess) -> None:
        """Take a reader back."""
        ...

    def discard(self, reader: EngineProcess, grace: float = 0) -> int:
        """Kill and replace a reader; gives its exit status."""
        ...


class Lease:
    """One reader, lent to one query. It goes back to the others, or is killed and replaced."""

    def __init__(self, store: Lender, reader: EngineProcess) -> None:
        self._store = store
        self._reader: EngineProcess | None = reader
        self._waited = reader.channel.waited
        self._midway = False
        # Who ends the query from elsewhere must not meet the reader when others have it already.
        self._parting = threading.Lock()

    def say(self, message: dict[str, Any]) -> None:
        """Tell the reader what to do."""
        self._guarded(lambda: self._lent().channel.send_message(message))
        self._midway = True

    def ask(self, request: bytes, text: bytes) -> None:
        """Tell the reader of a query: the message that goes before it, and its text."""
        self._guarded(lambda: self._lent().channel.send_request(request, text))
        self._midway = True

    def hear_message(self, budget: float | None = None) -> dict[str, Any]:
        """Wait for the reader's answer, for what is left of the query's time unless a budget is given."""
        message: dict[str, Any] = json.loads(self.hear(budget))
        return message

    def hear(self, budget: float | None = None) -> bytes:
        """Wait for the reader's answer as it comes, a text in JSON."""
        _, message = self._guarded(
            lambda: self._lent().channel.receive(budget or self._budget()), errors_end_it=False
        )
        self._midway = False
        return bytes(message)

    def finish(self) -> None:
        """Give back a reader whose whole answer was taken."""
        self._midway = False
        self.end()

    def go_on(self) -> None:
        """Note that more is to come after the message that was heard."""
        self._midway = True

    def hear_piece(self) -> bytes:
        """Wait for the next piece of data; empty at the end."""
        kind, payload = self._guarded(
            lambda: self._lent().channel.receive(self._budget()), errors_end_it=False
        )
        self._midway = kind == b"D"
        return payload if kind == b"D" else b""

    def interrupt(self) -> None:
        """End the process in the middle of its work; whoever waits for it is told, and it is replaced."""
        with self._parting:
            if self._reader is not None and self._midway:
                self._reader.interrupt()

    def end(self) -> None:
        """Give the reader back; one in the middle of its work is killed and replaced. Safe to call twice."""
        with self._parting:
            reader, self._reader = self._reader, None
        if reader is None:
            return
        if self._midway:
            self._store.discard(reader)
        else:
            self._store.give_back(reader)

    @property
    def channel(self) -> Channel:
        """Give the channel to the reader; raises StoreFailedError when it has gone back."""
        return self._lent().channel

    def _lent(self) -> EngineProcess:
        if self._reader is None:
            raise StoreFailedError("the result has been read or closed already")
        return self._reader

    def _budget(self) -> float:
        return self._store.timeout - (self._lent().channel.waited - self._waited)

    def _guarded(self, step: Callable[[], Any], errors_end_it: bool = True) -> Any:
        try:
            return step()
        except (ChannelTimeoutError, ChannelClosedError) as error:
            reader, self._reader = self._lent(), None
            status = self._store.discard(reader, LAST_WORDS if isinstance(error, ChannelClosedError) else 0)
            raise stopped(error, status, self._store.timeout, self._store.memory) from None
        except Exception:
            # An error that the reader told us leaves it ready for the next query.
            self._midway = errors_end_it
            raise


class Asking:
    """A query that a reader was told of. Its answer is waited for, or looked after by who has other work.

    `forms` names the format that a result of each kind is to be serialised in; `any_number` lifts the limit
    on rows.
    """

    def __init__(
        self,
        lease: Lease,
        text: str,
        dataset: QueryDataset,
        forms: Mapping[Kind, str] | None,
        *,
        any_number: bool = False,
    ) -> None:
        self._lease = lease
        self._forms = forms or {}
        self._whole: IsolatedAnswer | None = None
        self._asked = monotonic()
        self._looked_after = 0.0
        try:
            lease.ask(
                _write_request(dataset, tuple(self._forms.items()), any_number),
                text.encode(errors="surrogatepass"),
            )
        except BaseException:
            lease.end()
            raise

    def fileno(self) -> int:
        """Give the descriptor on which something comes."""
        return self._lease.channel.fileno()

    def arrived(self) -> bool:
        """Take what has come, without waiting; tells whether there is nothing more to look after.

        Then `whole` tells whether the result is here to its end, and its reader free.
        """
        channel = self._lease.channel
        self._looked_after = monotonic() - self._asked
        try:
            state = channel.take_in()
        except ChannelClosedError:
            return True  # Whoever waits for the answer is told why.
        if state is False:
            return False
        result = channel.whole_result() if state else None
        if result is not None:
            kind, variables = _read_head(result[0])
            self._lease.finish()
            self._whole = IsolatedAnswer(self._lease, kind, variables, self._forms[kind], result[1])
        return True

    @property
    def whole(self) -> bool:
        """Tell whether `answer` gives a result that nobody has to wait for."""
        return self._whole is not None

    def answer(self) -> IsolatedAnswer:
        """Wait for the answer; raises what `Store.query` raises."""
        if self._whole is not None:
            return self._whole
        try:
            on_stop(self._lease.interrupt)
            # Whoever looked after it waited in the place of who waits now.
            self._lease.channel.waited += self._looked_after
            kind, variables = _read_head(self._lease.hear())
            begun = self._forms.get(kind)
            if begun is not None:
                self._lease.go_on()
        except BaseException:
            self._lease.end()
            raise
        return IsolatedAnswer(self._lease, kind, variables, begun)

    def late(self) -> None:
        """Note that the query's time is over; `answer` stops it."""
        self._looked_after = monotonic() - self._asked

    def close(self) -> None:
        """Give the reader back; one that is at work still is killed and replaced."""
        self._lease.end()


@lru_cache(maxsize=64)
def _write_request(dataset: QueryDataset, forms: tuple[tuple[Kind, str], ...], any_number: bool) -> bytes:
    request = {
        "do": "query", "default": dataset.default, "named": dataset.named, "forms": dict(forms),
        "any number": any_number,
    }  # fmt: skip
    return json.dumps(request).encode()


@lru_cache(maxsize=64)
def _read_head(message: bytes) -> tuple[Kind, tuple[str, ...]]:
    head = json.loads(message)
    return head["kind"], tuple(head["variables"])


class IsolatedAnswer:
    """A result that another process holds; read once, then the process is free.

    `whole` is one that has come to its end already.
    """

    def __init__(
        self,
        lease: Lease,
        kind: Kind,
        variables: tuple[str, ...],
        begun: str | None = None,
        whole: bytes | None = None,
    ) -> None:
        self._lease = lease
        self._begun = begun
        self._kind = kind
        self._variables = variables
        self._whole = whole

    def __del__(self) -> None:
        self._lease.end()

    @property
    def kind(self) -> Kind:
        """Tell what it is."""
        return self._kind

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the columns."""
        return self._variables

    def rows(self) -> Iterator[Row]:
        """Read the solutions."""
        pieces = io.BufferedReader(_Pieces(self._pieces("json")))
        solutions = pyoxigraph.parse_query_results(pieces, format=QueryResultsFormat.JSON)
        assert isinstance(solutions, QuerySolutions)  # noqa: S101
        for solution in solutions:
            yield {name: term for name in self._variables if (term := solution[name]) is not None}

    def truth(self) -> bool:
        """Read the boolean."""
        return b"true" in b"".join(self._pieces("json"))

    def triples(self) -> Iterator[Triple]:
        """Read the triples."""
        pieces = io.BufferedReader(_Pieces(self._pieces("nt")))
        for quad in pyoxigraph.parse(pieces, format=RdfFormat.N_TRIPLES):
            yield quad.triple

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Write the result in pieces as the engine makes them; early failures precede the first."""
        return self._pieces(form.name)

    def close(self) -> None:
        """Let the process go, whatever is left unread."""
        self._lease.end()

    def _pieces(self, form: str) -> Iterator[bytes]:
        try:
            if self._begun is None:
                self._lease.say({"do": "write", "format": form})
            elif self._begun != form:
                raise StoreFailedError(f"the result is written as {self._begun}, and not as {form}")
            if self._whole is not None:
                whole, self._whole = self._whole, b""
                if whole:
                    yield whole
                return
            while piece := self._lease.hear_piece():
                yield piece
        finally:
            self._lease.end()


class _Pieces(io.RawIOBase):
    """The pieces as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._pieces, b"")
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
