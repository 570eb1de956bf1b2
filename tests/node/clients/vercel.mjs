// Vercel's ai, over each of its providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from "ai";
import { RECEIPT } from "../receipt.mjs";
import { FASTER } from "../tools.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const given = ({ openai: baseURL }) => ({ baseURL, apiKey: "none" });

const MODELS = {
  compatible: (job) =>
    createOpenAICompatible({ name: "any", supportsStructuredOutputs: true, ...given(job) })("m"),
  chat: (job) => createOpenAI(given(job)).chat("m"),
  responses: (job) => createOpenAI(given(job)).responses("m"),
  anthropic: (job) => createAnthropic(given(job))("m"),
};

export const compatible = (job, tools) => asked(MODELS.compatible(job), job, tools);
export const chat = (job, tools) => asked(MODELS.chat(job), job, tools);
export const responses = (job, tools) => asked(MODELS.responses(job), job, tools);
export const anthropic = (job, tools) => asked(MODELS.anthropic(job), job, tools);
export const compatible_object = (job) => object(MODELS.compatible(job), job);
export const chat_object = (job) => object(MODELS.chat(job), job);
export const responses_object = (job) => object(MODELS.responses(job), job);
export const anthropic_object = (job) => object(MODELS.anthropic(job), job);

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
    timeout: job.patience / FASTER,
  };
  if (!job.stream) return (await generateText(settings)).text;
  const errors = [];
  const answer = streamText({ ...settings, onError: ({ error }) => errors.push(error) });
  await answer.consumeStream();
  if (errors.length) throw errors[0];
  return answer.text;
}

async function object(model, job) {
  const settings = { model, prompt: job.task, schema: RECEIPT };
  if (!job.stream) return (await generateObject(settings)).object;
  const errors = [];
  const answer = streamObject({ ...settings, onError: ({ error }) => errors.push(error) });
  for await (const _ of answer.partialObjectStream);
  if (errors.length) throw errors[0];
  return answer.object;
}
