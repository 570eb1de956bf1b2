// @openai/agents: over both endpoints of OpenAI, and with the tools as its own MCP server.
import {
  Agent,
  MCPServerStreamableHttp,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  tool,
} from "@openai/agents";
import { built } from "./openai.mjs";

const TURNS = 12;

export const chat = (job, tools) => {
  return asked(job, { model: new OpenAIChatCompletionsModel(built(job), "m"), tools: own(tools) });
};
export const responses = (job, tools) => {
  return asked(job, { model: new OpenAIResponsesModel(built(job), "m"), tools: own(tools) });
};

export async function mcp(job) {
  const server = new MCPServerStreamableHttp({ url: job.mcp, name: "shop", timeout: job.patience });
  await server.connect();
  try {
    const model = new OpenAIChatCompletionsModel(built(job), "m");
    return await asked(job, { model, mcpServers: [server] });
  } finally {
    await server.close();
  }
}

function own(tools) {
  return tools.map(({ name, description, schema, call }) => {
    const parameters = { ...schema, additionalProperties: true };
    const execute = (args, _, details) => call(args, details?.toolCall?.callId);
    return tool({ name, description, parameters, strict: false, execute });
  });
}

async function asked(job, given) {
  const agent = new Agent({ name: "shop", ...given });
  if (!job.stream) return (await run(agent, job.task, { maxTurns: TURNS })).finalOutput;
  const answer = await run(agent, job.task, { maxTurns: TURNS, stream: true });
  await answer.completed;
  return answer.finalOutput;
}
