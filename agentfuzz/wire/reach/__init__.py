"""The clients of this process that nobody handed over: `with everywhere(world):` reaches them.

Law: what is patched are few methods at the lowest place that a library has, for the length of the
block and not longer; above it everything is the library's own. A request to a model provider is
answered by the world; any other goes on as if nothing were there. `block` is what users enter;
`hosts` says who is a provider, `worlds` who answers now, `patches` puts in and takes out what
`httpx`, `sockets` and `aiohttp` give.
"""
