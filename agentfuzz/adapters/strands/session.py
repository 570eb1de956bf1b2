"""A repository of Strands' sessions, each write of which is a save of the world.

Law: what is written is what the framework's session manager writes, and survives because this
object does. Called by the strands adapter.
"""

import copy
from collections.abc import Mapping
from typing import Any

from strands.session.session_repository import SessionRepository

from agentfuzz.world.world import World

_Kept = dict[tuple[str, ...], Any]


class Repository(SessionRepository):
    """Sessions, their agents and their messages, in memory."""

    def __init__(self, world: World) -> None:
        self.world = world  # of this leg
        self._sessions: dict[str, Any] = {}
        self._agents: _Kept = {}
        self._teams: _Kept = {}
        self._messages: dict[tuple[str, ...], dict[int, Any]] = {}

    def create_session(self, session: Any, **kwargs: Any) -> Any:
        """A new session."""
        self._sessions[session.session_id] = session
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> Any:
        """The session, or None."""
        return self._sessions.get(session_id)

    def create_agent(self, session_id: str, session_agent: Any, **kwargs: Any) -> None:
        """An agent, which has said nothing yet."""
        with self.world.saving("agent"):
            self._agents[session_id, session_agent.agent_id] = copy.deepcopy(session_agent)

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> Any:
        """The agent, or None."""
        return copy.deepcopy(self._agents.get((session_id, agent_id)))

    def update_agent(self, session_id: str, session_agent: Any, **kwargs: Any) -> None:
        """The state of an agent."""
        self.create_agent(session_id, session_agent)

    def create_message(
        self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any
    ) -> None:
        """A message of an agent's conversation."""
        with self.world.saving("message"):
            said = self._messages.setdefault((session_id, agent_id), {})
            said[session_message.message_id] = copy.deepcopy(session_message)

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> Any:
        """The message, or None."""
        return copy.deepcopy(self._messages.get((session_id, agent_id), {}).get(message_id))

    def update_message(
        self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any
    ) -> None:
        """A message, instead of the one of its number."""
        self.create_message(session_id, agent_id, session_message)

    def create_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        """Several agents, which have done nothing yet."""
        with self.world.saving("agents"):
            self._teams[session_id, multi_agent.id] = copy.deepcopy(multi_agent.serialize_state())

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> Any:
        """The state of several agents, or None."""
        return copy.deepcopy(self._teams.get((session_id, multi_agent_id)))

    def update_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        """How far they are."""
        self.create_multi_agent(session_id, multi_agent)

    def list_messages(
        self,
        session_id: str,
        agent_id: str,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> list[Any]:
        """The messages of an agent, by their numbers."""
        said: Mapping[int, Any] = self._messages.get((session_id, agent_id), {})
        found = [copy.deepcopy(said[number]) for number in sorted(said)][offset:]
        return found if limit is None else found[:limit]
