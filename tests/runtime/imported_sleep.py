"""A module that has `sleep` by name, as much library code does."""

from time import sleep


def nap(seconds: float) -> None:
    sleep(seconds)
