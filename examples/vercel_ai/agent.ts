// An agent on Vercel's ai: it streams its answer to the terminal, with the tools of an MCP server.
import { createMCPClient } from "@ai-sdk/mcp";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { stepCountIs, streamText } from "ai";

const { OPENAI_BASE_URL, OPENAI_API_KEY, MCP_URL, TASK } = process.env as Record<string, string>;
const provider = createOpenAICompatible({
  name: "provider",
  baseURL: OPENAI_BASE_URL,
  apiKey: OPENAI_API_KEY,
});
const mcp = await createMCPClient({ transport: { type: "http", url: MCP_URL } });
try {
  const answer = streamText({
    model: provider("any"),
    system: "You refund orders.",
    prompt: TASK,
    tools: await mcp.tools(),
    stopWhen: stepCountIs(10),
  });
  for await (const text of answer.textStream) process.stdout.write(text);
} finally {
  await mcp.close();
}
