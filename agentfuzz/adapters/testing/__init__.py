"""The test kit that any adapter passes, and the situations that frameworks are put into.

situations    what a framework's users do with it every day, as scenarios
kit           the checks of the contract

Law: it asks for what the contract says, and for nothing that one framework has. Called by the tests
of adapters, also of those that others publish:

    @pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
    def test_contract(check):
        check()
"""

from agentfuzz.adapters.testing.kit import Check, checks
from agentfuzz.adapters.testing.situations import Situation, situation, situations

__all__ = ["Check", "Situation", "checks", "situation", "situations"]
