// LangChain.js: createAgent over its providers' packages.
import { ChatAnthropic } from "@langchain/anthropic";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { RECEIPT } from "../receipt.mjs";

const SETTINGS = { model: "m", apiKey: "none", maxRetries: 2 };
const STREAMED = ["messages", "values"]; // what asks the model for its tokens one by one

function openai(job, useResponsesApi) {
  const configuration = { baseURL: job.openai };
  return new ChatOpenAI({ ...SETTINGS, configuration, timeout: job.patience, useResponsesApi });
}

function claude(job) {
  const clientOptions = { timeout: job.patience };
  return new ChatAnthropic({ ...SETTINGS, anthropicApiUrl: job.anthropic, clientOptions });
}

export const chat = (job, tools) => asked(openai(job, false), job, tools);
export const responses = (job, tools) => asked(openai(job, true), job, tools);
export const anthropic = (job, tools) => asked(claude(job), job, tools);
export const chat_structured = (job) => structured(openai(job, false), job);
export const responses_structured = (job) => structured(openai(job, true), job);
export const anthropic_structured = (job) => structured(claude(job), job);

async function asked(model, job, tools) {
  const offered = tools.map(({ name, description, schema, call }) => {
    return tool((args, config) => call(args, config?.toolCall?.id), { name, description, schema });
  });
  const agent = createAgent({ model, tools: offered });
  const messages = [{ role: "user", content: job.task }];
  if (!job.stream) return (await agent.invoke({ messages })).messages.at(-1).text;
  let state;
  for await (const [mode, part] of await agent.stream({ messages }, { streamMode: STREAMED })) {
    if (mode === "values") state = part;
  }
  return state.messages.at(-1).text;
}

async function structured(model, job) {
  const asks = model.withStructuredOutput(RECEIPT);
  if (!job.stream) return asks.invoke(job.task);
  let value;
  for await (const part of await asks.stream(job.task)) value = part;
  return value;
}
