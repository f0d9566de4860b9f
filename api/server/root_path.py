"""The path under which the application is served: ASGI's root_path, WSGI's SCRIPT_NAME."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from kg.errors import ParameterError

# A second slash at its beginning would make a link lead to another host, and dots to another path.
PREFIX: Final = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)+")
_HEADER: Final = b"x-forwarded-prefix"


def read_networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read addresses and networks with commas between them; raises ParameterError."""
    try:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [ipaddress.ip_network(part, strict=False) for part in parts]
    except ValueError as error:
        raise ParameterError(
            f"the trusted proxy cannot be read: {error}",
            mend="Set DIPLOGRAPH_TRUSTED_PROXY to its address, such as 127.0.0.1, or leave out "
            "DIPLOGRAPH_FORWARDED_PREFIX.",
        ) from None


class RootPath:
    """ASGI middleware: names the path under which the application is served, and takes it off the address.

    The path is `root`, or the header X-Forwarded-Prefix of a client among `proxies` (addresses or networks
    with commas between them; empty: of none). A proxy may strip it from addresses or leave it in.
    """

    def __init__(self, app: ASGIApp, root: str, proxies: str = "") -> None:
        self._app = app
        self._root = root
        self._proxies = read_networks(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        root = self._root_of(scope)
        if root:
            scope = {**scope, "root_path": root}
            sent: bytes = scope["raw_path"]
            if sent == root.encode() or sent.startswith(f"{root}/".encode()):
                scope["raw_path"] = sent[len(root) :] or b"/"
                scope["path"] = scope["path"][len(root) :] or "/"
        await self._app(scope, receive, send)

    def _root_of(self, scope: Scope) -> str:
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == _HEADER]
        if len(sent) == 1 and scope.get("client") and self._trusts(scope["client"][0]):
            prefix = sent[0].rstrip("/")
            return prefix if PREFIX.fullmatch(prefix) else self._root
        return self._root

    def _trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
