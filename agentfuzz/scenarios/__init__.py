"""The bundled scenarios: one page each, with a story, tools, laws, victims and survivors.

Law: a scenario is an ordinary Python file that a reader can copy. In a checkout the files lie in
`scenarios/` beside the package; an installed package carries them here. Imported as
`agentfuzz.scenarios.charge_order`.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2] / "scenarios"
if (_CHECKOUT / "charge_order.py").is_file():
    __path__.append(str(_CHECKOUT))
