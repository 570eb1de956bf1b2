#!/usr/bin/env bash
# An agent in bash: curl asks the model and calls the tools (MCP), jq reads what they say.
set -euo pipefail

version=2026-07-28
post() { curl -sS --fail --max-time 10 --retry 2 --retry-all-errors --json @- "$@"; }

mcp() { # method, id, params
  local prefix=io.modelcontextprotocol/
  jq -n --arg method "$1" --arg id "$2" --argjson params "$3" --arg v "$version" --arg p "$prefix" '
    {jsonrpc: "2.0", $id, $method, params: ($params + {_meta: {
      ($p + "protocolVersion"): $v, ($p + "clientCapabilities"): {}}})}' |
    post -H "accept: application/json, text/event-stream" -H "mcp-protocol-version: $version" \
      -H "mcp-method: $1" ${4:+-H "mcp-name: $4"} "$MCP_URL"
}

tools=$(mcp tools/list list '{}' | jq '[.result.tools[] |
  {type: "function", function: {name, description, parameters: .inputSchema}}]')
messages=$(jq -n --arg task "$TASK" '[{role: "user", content: $task}]')
for _ in {1..10}; do
  message=$(jq -n --argjson messages "$messages" --argjson tools "$tools" \
    '{model: "any", $messages, $tools}' |
    post "$OPENAI_BASE_URL/chat/completions" | jq '.choices[0].message')
  messages=$(jq --argjson message "$message" '. + [$message]' <<<"$messages")
  calls=$(jq -c '.tool_calls // [] | .[]' <<<"$message")
  if [ -z "$calls" ]; then
    jq -r .content <<<"$message"
    exit
  fi
  while read -r call; do
    id=$(jq -r .id <<<"$call") name=$(jq -r .function.name <<<"$call")
    params=$(jq '{name: .function.name, arguments: (.function.arguments | fromjson)}' <<<"$call")
    answer=$(mcp tools/call "$id" "$params" "$name" | jq -r '[.result.content[].text] | join("\n")')
    messages=$(jq --arg id "$id" --arg answer "$answer" \
      '. + [{role: "tool", tool_call_id: $id, content: $answer}]' <<<"$messages")
  done <<<"$calls"
done
echo "no answer after ten turns" >&2
exit 1
