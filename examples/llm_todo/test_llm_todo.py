"""llm's own tool loop, with the toolbox of a plugin."""

import llm
import llm_tools_todo

from agentfuzz import call, errors_surface, executed_as_asked, fuzz, receipts_shown, results_paired, scenario, wire

ADD = call("Todo_add", session_id="s1", content="Buy milk.")


@scenario(executed_as_asked(), errors_surface(), results_paired(), receipts_shown(), task="Note: buy milk.", script=[ADD, "Noted."])
def note(world):
    world.tap(
        llm_tools_todo.Todo.add, name="Todo_add", effect="todo", scope=("session_id", "content")
    )


@fuzz(note, each_run=("tmp_path", "monkeypatch"), exclude=("repeat",), max_runs=60)
def test_llm_todo(world, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(llm_tools_todo, "_session_stores", {})
    with wire.everywhere(world):
        return llm.get_model("gpt-4o-mini").chain(world.task, tools=[llm_tools_todo.Todo()]).text()
