// Vercel's ai, over each of its providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false;
const given = ({ openai: baseURL }) => ({ baseURL, apiKey: "none" });

export const compatible = (job, tools) =>
  asked(createOpenAICompatible({ name: "any", ...given(job) })("m"), job, tools);
export const chat = (job, tools) => asked(createOpenAI(given(job)).chat("m"), job, tools);
export const responses = (job, tools) => asked(createOpenAI(given(job)).responses("m"), job, tools);
export const anthropic = (job, tools) => asked(createAnthropic(given(job))("m"), job, tools);

async function asked(model, job, tools) {
  const offered = tools.map(({ name, description, schema, call }) => {
    const execute = (args, { toolCallId }) => call(args, toolCallId);
    return [name, tool({ description, inputSchema: jsonSchema(schema), execute })];
  });
  const settings = {
    model,
    prompt: job.task,
    tools: Object.fromEntries(offered),
    stopWhen: stepCountIs(12),
    timeout: job.patience,
  };
  if (!job.stream) return (await generateText(settings)).text;
  const errors = [];
  const answer = streamText({ ...settings, onError: ({ error }) => errors.push(error) });
  await answer.consumeStream();
  if (errors.length) throw errors[0];
  return answer.text;
}
