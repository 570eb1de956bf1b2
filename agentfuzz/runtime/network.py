"""The network beyond this machine: refused in a run, unless it was allowed.

Law: loopback and Unix sockets are this machine's and work; any other address is let through only
if all are allowed, or its host is (an address, too, that an allowed name was resolved to). What is
judged is told by audit events and by Python's own sockets: what a library opens in native code
nobody sees. Called by the leaks, whose hook every event comes to.
"""

import errno
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

from agentfuzz.core.errors import NetworkRefused

Allowed = bool | Iterable[str]

_CONNECTS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_INTERNET = (socket.AF_INET, socket.AF_INET6)

_everything = False
_hosts: frozenset[str] = frozenset()
_addresses: set[str] = set()  # of names that are allowed


def allow(allowed: Allowed) -> None:
    """What the run that begins may reach: everything, nothing, or these hosts."""
    global _everything, _hosts
    _everything = allowed is True
    hosts = frozenset() if isinstance(allowed, bool) else frozenset(map(plain, allowed))
    if hosts != _hosts:  # what was looked up for others is none of this one's
        _addresses.clear()
    _hosts = hosts


def refuses(event: str, args: tuple[Any, ...]) -> str:
    """The host that an audit event asks for and may not; empty if it may."""
    if _everything:
        return ""
    if event in _CONNECTS:
        address = args[1]
        if args[0].family not in _INTERNET or not isinstance(address, tuple) or not address:
            return ""
        host = plain(address[0])
        known = is_local(host) or host in _addresses
    elif event in _NAMES:
        host = plain(args[0])
        known = is_local(host) or host == plain(socket.gethostname())
    else:
        return ""
    return "" if known or host in _hosts else host


def refused(host: str) -> NetworkRefused:
    """What whoever asked for a host gets."""
    return NetworkRefused(
        errno.ECONNREFUSED,
        f"agentfuzz refuses the network in a run: {host}. Replace it in the test by a tool of the "
        f"world, or allow it: @fuzz(scenario, allow_network=({host!r},)), or allow_network=True.",
    )


def resolved(host: object, addresses: Iterable[Any]) -> None:
    """A name was resolved: if it is allowed, its addresses are as well."""
    if _hosts and plain(host) in _hosts:
        _addresses.update(plain(address) for address in addresses)


def is_local(host: str) -> bool:
    """Whether a host, in plain form, is this machine by a name or address that says so."""
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


def plain(host: object) -> str:
    """A host's name or address, as it is compared."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("latin-1")
    if not isinstance(host, str):
        return ""  # None: any address of this machine
    return host.partition("%")[0].rstrip(".").lower()
