"""A module that is first imported inside a simulation is imported in real time."""

import datetime
import random
import sys
import time
import uuid

import pytest

from agentfuzz import run, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import imports
from agentfuzz.runtime.clock import Real

REAL = datetime.datetime, datetime.date, time.time, time.sleep
MODULE = """
import dataclasses, datetime, random, time, uuid
from datetime import date, datetime as moment
from time import sleep, time as now

DRAWN = random.random(), uuid.uuid4()
AT_IMPORT = now(), moment.now().timestamp()
CLASSES = [moment, date, datetime.datetime]
sleep(0)


@dataclasses.dataclass
class Order:
    at: moment = dataclasses.field(default_factory=moment.now)
    of: type = moment


def today():
    return now(), moment.now(datetime.timezone.utc).year
"""


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that nobody has imported yet, and that imports another one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "first_imported.py").write_text("import then_imported\n" + MODULE)
    (tmp_path / "then_imported.py").write_text(MODULE)
    (tmp_path / "fails_to_import.py").write_text("import time\nnow = time.time\n1 / 0\n")
    yield "first_imported"
    for name in ("first_imported", "then_imported"):
        sys.modules.pop(name, None)


def test_what_it_binds_is_real(module):
    """Its classes keep the real datetime, the clock that it looks at is the real one; its own
    functions see virtual time in the run, and real time after it."""

    def agent(world):
        before = time.time()
        import first_imported
        import then_imported

        assert time.time() - before < 1
        for one in (first_imported, then_imported):
            assert [REAL[0], REAL[1], REAL[0]] == one.CLASSES
            assert one.Order().of is REAL[0]
            assert abs(one.AT_IMPORT[0] - Real.monotonic()) > 1e6
            seconds, year = one.today()
            assert (round(seconds), year) == (round(before), 2026)
        return [one.AT_IMPORT[0] for one in (first_imported, then_imported)]

    with Simulation() as simulation:
        found = run(anywhere, agent, simulation=simulation).history.ended
    assert found.how == "returned", found
    late = sys.modules[module]
    assert all(abs(seconds - time.time()) < 600 for seconds in found.value)
    assert (late.moment, late.date, late.now, late.sleep) == REAL
    assert (datetime.datetime, datetime.date, time.time, time.sleep) == REAL


@pytest.mark.usefixtures("module")
def test_what_it_draws_is_not_the_run_s():
    """A run that imports something draws what a run draws that does not."""

    def agent(world):
        first = random.random()
        import first_imported

        assert first_imported.DRAWN[0] != first
        return first, random.random(), str(uuid.uuid4())

    with Simulation() as simulation:
        found = [run(anywhere, agent, simulation=simulation).history.ended for _ in range(2)]
    assert found[0].how == "returned", found
    assert found[0].value == found[1].value


@pytest.mark.usefixtures("module")
def test_an_import_that_fails():
    """Time is virtual again after it."""

    def agent(world):
        before = time.time()
        with pytest.raises(ZeroDivisionError):
            import fails_to_import  # noqa: F401
        return round(time.time() - before), imports.under_way()

    assert run(anywhere, agent).history.ended.value == [0, False]


def test_a_model_of_pydantic_s_that_is_made_in_a_run(tmp_path, monkeypatch):
    """Its fields are real dates, and it takes those of the run."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "models_of_mine.py").write_text(
        "import datetime\nfrom pydantic import BaseModel\n"
        "class Order(BaseModel):\n    at: datetime.datetime\n    on: datetime.date\n"
    )

    def agent(world):
        from models_of_mine import Order

        order = Order(at=datetime.datetime.now(), on=datetime.date.today())
        return str(Order.model_validate_json(order.model_dump_json()).at)

    try:
        first, again = (run(anywhere, agent).history.ended for _ in range(2))
        assert first.value.startswith("2026-01-01"), first
        assert first.value == again.value
        fields = sys.modules["models_of_mine"].Order.model_fields
        assert [fields[name].annotation for name in ("at", "on")] == [*REAL[:2]]
    finally:
        sys.modules.pop("models_of_mine", None)


def test_the_loaders_are_as_before():
    """Nothing of it stays when the simulation is over."""
    before = [vars(loader).get(name) for loader, name in imports._HOOKED]
    with Simulation():
        assert [vars(loader).get(name) for loader, name in imports._HOOKED] != before
    assert [vars(loader).get(name) for loader, name in imports._HOOKED] == before
