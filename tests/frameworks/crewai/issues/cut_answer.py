"""An answer that was cut off at the length limit is the crew's output.

Run: pip install crewai==1.15.30 && python cut_answer.py    (exit status 1: shown)
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true")

from crewai import LLM, Agent, Crew, Task

CUT = "Order A17 is charged, and order B18 is not, bec"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": CUT}
        choice = {"index": 0, "message": message, "finish_reason": "length"}
        told = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
        body = json.dumps({**told, "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
llm = LLM(model="openai/gpt-4o", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="k")
clerk = Agent(role="r", goal="g", backstory="b", llm=llm)
task = Task(description="Charge both orders.", expected_output="What was done.", agent=clerk)
output = Crew(agents=[clerk], tasks=[task]).kickoff().raw
print(f"output: {output!r}")
sys.exit(int(output == CUT))
