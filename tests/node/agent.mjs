// A tool-calling loop as many write it, in 40 lines: the model over the official openai package,
// the tools over MCP (2026-07-28: one POST per request, no session). It sends a request again
// under a new id when it has lost the response, as the protocol asks of it.
import OpenAI from "openai";

const MCP = process.env.MCP_URL;
const VERSION = "2026-07-28";
const model = new OpenAI({ apiKey: "none" }); // reads OPENAI_BASE_URL

async function request(id, method, params = {}) {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": VERSION,
    "mcp-method": method,
    ...(params.name && { "mcp-name": params.name }),
  };
  const prefix = "io.modelcontextprotocol/";
  const _meta = { [`${prefix}protocolVersion`]: VERSION, [`${prefix}clientCapabilities`]: {} };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta } });
  const signal = AbortSignal.timeout(3000);
  const answer = await (await fetch(MCP, { method: "POST", headers, body, signal })).json();
  if (answer.error) throw Object.assign(new Error(answer.error.message), { final: true });
  return answer.result;
}

async function call({ id, function: { name, arguments: text } }) {
  const params = { name, arguments: JSON.parse(text) };
  const result = await request(id, "tools/call", params).catch((error) => {
    if (error.final) throw error;
    return request(`${id}-again`, "tools/call", params); // the bug: nothing says that it is the same
  });
  return result.content.map((part) => part.text).join("\n");
}

const listed = await request("list", "tools/list");
const tools = listed.tools.map(({ name, description, inputSchema: parameters }) => {
  return { type: "function", function: { name, description, parameters } };
});
const messages = [{ role: "user", content: process.env.TASK }];
for (let turn = 0; turn < 10; turn++) {
  const { choices } = await model.chat.completions.create({ model: "simulated", messages, tools });
  const { message } = choices[0];
  messages.push(message);
  if (!message.tool_calls?.length) {
    console.log(message.content);
    break;
  }
  for (const one of message.tool_calls) {
    messages.push({ role: "tool", tool_call_id: one.id, content: await call(one) });
  }
}
