// LangChain.js: createAgent over its providers' packages.
import { ChatAnthropic } from "@langchain/anthropic";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";

const SETTINGS = { model: "m", apiKey: "none", maxRetries: 2 };
const STREAMED = ["messages", "values"]; // what asks the model for its tokens one by one

function openai(job, useResponsesApi) {
  const configuration = { baseURL: job.openai };
  return new ChatOpenAI({ ...SETTINGS, configuration, timeout: job.patience, useResponsesApi });
}

export const chat = (job, tools) => asked(openai(job, false), job, tools);
export const responses = (job, tools) => asked(openai(job, true), job, tools);
export const anthropic = (job, tools) => {
  const clientOptions = { timeout: job.patience };
  const given = { ...SETTINGS, anthropicApiUrl: job.anthropic, clientOptions };
  return asked(new ChatAnthropic(given), job, tools);
};

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
