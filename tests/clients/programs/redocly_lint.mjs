// Redocly's checks of the service's document with its recommended rules: `redocly_lint.mjs URL TEXT FOLDER` reports every problem.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [url, , folder] = process.argv.slice(2);
const document = join(folder, "openapi.json");
writeFileSync(document, await (await fetch(`${url}/openapi.json`)).text());
const program = join(dirname(fileURLToPath(import.meta.url)), "node_modules", "@redocly", "cli", "bin", "cli.js");
const done = spawnSync(process.execPath, [program, "lint", document, "--extends", "recommended", "--format", "json"], {
  encoding: "utf8",
  env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
});
const found = JSON.parse(done.stdout.slice(done.stdout.indexOf("{"), done.stdout.lastIndexOf("}") + 1));
console.log(JSON.stringify({ status: done.status, checked: found.totals, problems: found.problems.map((each) => [each.ruleId, each.message]) }));
