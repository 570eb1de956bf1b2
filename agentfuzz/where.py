"""Where in the user's own code a call was made, for the reports of traced runs."""

import sys


def caller() -> str | None:
    """`path:line function` of the nearest frame that is the user's own code."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if is_users(path):
            return f"{path}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return None


def is_users(path: str) -> bool:
    """Whether code of this file is the user's own, and no library's."""
    return not path.startswith("<") and not any(part in path for part in _NOT_USERS)


_OWN = __file__.rsplit("where.py", 1)[0]
_NOT_USERS = (_OWN, "site-packages", "dist-packages", f"{sys.base_prefix}/lib/python")
