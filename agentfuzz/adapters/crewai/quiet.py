"""What keeps CrewAI from the network, and from talking.

Law: whoever has set one of these has it as it was set. Imported by the crewai adapter.
"""

import os
import tempfile

_STORAGE = tempfile.TemporaryDirectory(prefix="crewai-")  # two processes would wait for each other
QUIET = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_STORAGE_DIR": _STORAGE.name,
    "OTEL_SDK_DISABLED": "true",
}
for _name, _value in QUIET.items():
    os.environ.setdefault(_name, _value)
