// The tools, over MCP (2026-07-28): one POST for each request. What goes wrong is a text for the
// model, as in most applications.
const VERSION = "2026-07-28";
export const FASTER = 20; // a client's own back-off and patience are so much shorter than they say
const PREFIX = "io.modelcontextprotocol/";

export async function listed(job) {
  const { tools } = await request(job, "list", "tools/list");
  return tools.map(({ name, description, inputSchema: schema }) => {
    const call = (args, id) => called(job, name, args, id);
    return { name, description, schema, call };
  });
}

let calls = 0;

async function called(job, name, args, id = `call-${++calls}`) {
  try {
    const found = await request(job, id, "tools/call", { name, arguments: args });
    const text = found.content.map((part) => part.text).join("\n");
    return found.isError ? `Error: ${text}` : text;
  } catch (error) {
    return `Error: ${error.message}`;
  }
}

async function request({ mcp, patience }, id, method, params = {}) {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": VERSION,
    "mcp-method": method,
    ...(params.name && { "mcp-name": params.name }),
  };
  const _meta = { [`${PREFIX}protocolVersion`]: VERSION, [`${PREFIX}clientCapabilities`]: {} };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta } });
  const signal = AbortSignal.timeout(patience / FASTER);
  const answer = await (await fetch(mcp, { method: "POST", headers, body, signal })).json();
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

// Arguments as a model wrote them, which may be no JSON, and then go to the tool as they are.
export function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

// The tool of that name; one that does not exist answers so.
export function find(tools, name) {
  const unknown = { call: async () => `Error: there is no tool ${name}` };
  return tools.find((tool) => tool.name === name) ?? unknown;
}
