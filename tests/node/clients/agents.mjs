// @openai/agents: over both endpoints of OpenAI, and with the tools as its own MCP server.
import {
  Agent,
  MCPServerStreamableHttp,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  tool,
} from "@openai/agents";
import { RECEIPT } from "../receipt.mjs";
import { built } from "./openai.mjs";

const TURNS = 12;

const completions = (job) => new OpenAIChatCompletionsModel(built(job), "m");
const items = (job) => new OpenAIResponsesModel(built(job), "m");

export const chat = (job, tools) => asked(job, { model: completions(job), tools: own(tools) });
export const responses = (job, tools) => asked(job, { model: items(job), tools: own(tools) });
export const chat_output = (job) => asked(job, { model: completions(job), outputType: RECEIPT });
export const responses_output = (job) => asked(job, { model: items(job), outputType: RECEIPT });
export const chat_handoff = (job, tools) => handed(job, completions(job), tools);
export const responses_handoff = (job, tools) => handed(job, items(job), tools);

function handed(job, model, tools) {
  return asked(job, { model, handoffs: [new Agent({ name: "billing", model, tools: own(tools) })] });
}

export async function mcp(job) {
  const server = new MCPServerStreamableHttp({ url: job.mcp, name: "shop", timeout: job.patience });
  await server.connect();
  try {
    return await asked(job, { model: completions(job), mcpServers: [server] });
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
