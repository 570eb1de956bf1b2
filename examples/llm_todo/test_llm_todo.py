"""llm's own tool loop over the toolbox of a plugin."""

import llm
import llm_tools_todo

from agentfuzz import call, executed_as_asked, fuzz, results_paired, scenario, wire

ADD = call("Todo_add", session_id="s1", content="Buy milk.")


@scenario(
    executed_as_asked(),
    results_paired(),
    task="Note: buy milk.",
    script=[ADD, "Noted."],
    without=("at_most_once", "replay_transparency"),  # a list may hold the same words twice
    max_crossings=40,
)
def note(world):
    scope = ("session_id", "content")
    world.tap(llm_tools_todo.Todo.add, name="Todo_add", effect="todo", scope=scope)


@fuzz(note, each_run=("tmp_path", "monkeypatch"), max_runs=60)
def test_llm_todo(world, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(llm_tools_todo, "_session_stores", {})
    monkeypatch.setattr("llm.utils._last", None)  # its last id, kept between runs
    with wire.everywhere(world):
        return llm.get_model("gpt-4o-mini").chain(world.task, tools=[llm_tools_todo.Todo()]).text()
