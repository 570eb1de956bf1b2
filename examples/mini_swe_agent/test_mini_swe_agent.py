"""mini-swe-agent lands a change: its loop, its litellm model, its shell, as they are."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks the network
os.environ["MSWEA_SILENT_STARTUP"] = os.environ["MSWEA_COST_TRACKING"] = "1"

from minisweagent.agents.interactive import InteractiveAgent
from minisweagent.agents.utils.prompt_user import prompt_session
from minisweagent.environments import local
from minisweagent.models.litellm_model import LitellmModel

from agentfuzz import Completion, call, exactly_once, fuzz, scenario, wire

PUSH = "echo pushed >> $LANDED"
DONE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
SCRIPT = [call("bash", command=PUSH), call("bash", command=DONE), "Landed."]
YOLO = {"mode": "yolo", "confirm_exit": False, "step_limit": 8}
TOOL = {"effect": "push", "scope": ("command",), "transport": "at_most_once"}


def pushed(done):
    return "COMPLETE" not in done.stdout


@scenario(exactly_once("push"), task="Land the change.", script=SCRIPT, faults=("ctrl_c",))
def land(world):
    world.tap(local._run, name="bash", hide=("cwd", "env", "timeout"), effect_if=pushed, **TOOL)


@fuzz(land, each_run=("tmp_path", "monkeypatch"), exclude=("repeat",), max_runs=60)
def test_mini_swe_agent(world, tmp_path, monkeypatch):
    monkeypatch.setattr(prompt_session, "prompt", lambda text: "")  # Ctrl-C, then Enter
    env = local.LocalEnvironment(env={"LANDED": str(tmp_path / "landed")})
    model = LitellmModel(model_name="openai/gpt-5", cost_tracking="ignore_errors")
    agent = InteractiveAgent(model, env, system_template="", instance_template="{{task}}", **YOLO)
    with wire.everywhere(world):
        status = agent.run(world.task)["exit_status"]
    return Completion.success() if status == "Submitted" else Completion.blocked(reason="other")
