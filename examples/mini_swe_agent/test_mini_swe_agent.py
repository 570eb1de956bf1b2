"""mini-swe-agent lands a change: its loop, its litellm model, its shell, as they are."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks the network
os.environ["MSWEA_SILENT_STARTUP"] = os.environ["MSWEA_COST_TRACKING"] = "1"

from minisweagent.agents.default import DefaultAgent
from minisweagent.environments.local import LocalEnvironment
from minisweagent.models.litellm_model import LitellmModel

from agentfuzz import Completion, call, exactly_once, fuzz, scenario
from agentfuzz.wire import everywhere

RUN = "minisweagent.environments.local:_run"
PUSH = "echo pushed >> $LANDED"
DONE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


@scenario(
    exactly_once("push"),
    task="Land the change.",
    script=[call("bash", command=PUSH), call("bash", command=DONE), "Landed."],
)
def land(world):
    world.tap(
        RUN,
        name="bash",
        effect="push",
        scope=("command",),
        transport="at_most_once",
        hide=("cwd", "env", "timeout"),
        effect_if=lambda done: "COMPLETE" not in done.stdout,
    )


@fuzz(land, each_run=("tmp_path",), exclude=("repeat",), max_runs=60)
def test_mini_swe_agent(world, tmp_path):
    env = LocalEnvironment(env={"LANDED": str(tmp_path / "landed")})
    model = LitellmModel(model_name="openai/gpt-5", cost_tracking="ignore_errors")
    agent = DefaultAgent(
        model, env, system_template="You land changes.", instance_template="{{task}}", step_limit=8
    )
    with everywhere(world):
        end = agent.run(world.task)
    if end["exit_status"] == "Submitted":
        return Completion.success(detail=end["submission"])
    return Completion.blocked(reason="other", detail=end["exit_status"])
