// A loop on the official MCP client with its defaults: it lists the tools, calls one, and calls
// again when a reply was lost; when its session is gone it begins another one.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

async function connected() {
  const client = new Client({ name: "agent", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(process.env.MCP_URL)));
  return client;
}

let client = await connected();
await client.listTools();
let said = "nothing";
for (let attempt = 0; attempt < 3; attempt++) {
  try {
    const call = { name: "charge_card", arguments: { order_id: "A17" } };
    const result = await client.callTool(call);
    said = result.content[0].text;
    if (!result.isError) break;
  } catch (error) {
    said = `${error.constructor.name} ${error.code ?? ""} ${error.message}`;
    if (error.code === 404) client = await connected();
  }
}
console.log(said);
process.exit(0);
