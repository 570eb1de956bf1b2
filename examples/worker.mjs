// One process for a whole campaign: a line of JSON is the environment of a run, in which the
// agent's module is imported anew, and a line that begins with "ended" says how it went.
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const agent = pathToFileURL(resolve(process.argv[2])).href;
let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  Object.assign(process.env, JSON.parse(line));
  const failed = await import(`${agent}?run=${++runs}`).then(
    () => "",
    (error) => `${error.constructor.name}: ${error.message}`.replaceAll("\n", " "),
  );
  console.log(`\nended ${failed}`);
}
