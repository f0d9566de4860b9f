"""Plans that wait for their commit: few, and not for long."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from kg.errors import UnknownNameError
from kg.load import Plan


class PlanShelf:
    """Keeps the last `places` plans for `seconds` each; older ones go first."""

    def __init__(
        self, places: int = 20, seconds: float = 3600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places = places
        self._seconds = seconds
        self._clock = clock
        self._plans: OrderedDict[str, tuple[float, Plan]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, plan: Plan) -> str:
        """Keep a plan and give the id that it is asked for by; the id cannot be guessed."""
        plan_id = secrets.token_hex(16)
        with self._lock:
            self._tidy()
            self._plans[plan_id] = (self._clock(), plan)
            while len(self._plans) > self._places:
                self._plans.popitem(last=False)
        return plan_id

    def get(self, plan_id: str) -> Plan:
        """Give a plan. Raises UnknownNameError for one that is unknown, carried out or expired."""
        with self._lock:
            self._tidy()
            if plan_id not in self._plans:
                raise UnknownNameError(
                    f"there is no plan {plan_id}",
                    mend=f"Plans are kept for {self._seconds / 60:.0f} minutes; send the file again.",
                )
            return self._plans[plan_id][1]

    def drop(self, plan_id: str) -> None:
        """Take a plan off; does nothing when it is gone already."""
        with self._lock:
            self._plans.pop(plan_id, None)

    def _tidy(self) -> None:
        for plan_id, (put_at, _) in list(self._plans.items()):
            if self._clock() - put_at > self._seconds:
                del self._plans[plan_id]
