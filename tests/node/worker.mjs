// One process for many runs: a line of JSON comes in, the client that it names does the task, and
// a line of JSON says what came of it. Nothing here knows of agentfuzz but by its addresses.
import { createInterface } from "node:readline";
import { FASTER, listed } from "./tools.mjs";

process.env.OPENAI_AGENTS_DISABLE_TRACING = "1";
const real = globalThis.setTimeout;
globalThis.setTimeout = (call, ms, ...rest) => real(call, ms / FASTER, ...rest);
process.on("unhandledRejection", (error) => console.error("unhandled:", error)); // ends no run

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  console.log(JSON.stringify(await ended(job)));
}

async function ended(job) {
  try {
    const { [job.api]: ask } = await import(`./clients/${job.client}.mjs`);
    return { said: (await ask(job, await listed(job))) ?? null };
  } catch (error) {
    return { raised: error.constructor.name, why: String(error.message), status: error.status };
  }
}
