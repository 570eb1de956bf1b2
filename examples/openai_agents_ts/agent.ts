// An agent on @openai/agents: its tools are those of an MCP server.
import { Agent, MCPServerStreamableHttp, OpenAIProvider, Runner } from "@openai/agents";

const { OPENAI_BASE_URL, OPENAI_API_KEY, MCP_URL, TASK } = process.env as Record<string, string>;
const modelProvider = new OpenAIProvider({ baseURL: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY });
const runner = new Runner({ modelProvider, tracingDisabled: true });
const bookings = new MCPServerStreamableHttp({ name: "bookings", url: MCP_URL, timeout: 2000 });

await bookings.connect();
try {
  const agent = new Agent({
    name: "concierge",
    instructions: "You book tables.",
    model: "any",
    mcpServers: [bookings],
  });
  console.log((await runner.run(agent, TASK)).finalOutput);
} finally {
  await bookings.close();
}
