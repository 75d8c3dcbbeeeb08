// openapi-typescript and openapi-fetch: `openapi_typescript.mjs URL TEXT FOLDER` makes types in FOLDER, compiles a typed program and runs it.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const [url, text] = process.argv.slice(2);
const home = dirname(fileURLToPath(import.meta.url));
const place = join(home, `made-${process.pid}`);
mkdirSync(place); // below the packages, where the compiler finds them
try {
  writeFileSync(join(place, "memory.d.ts"), astToString(await openapiTS(new URL(`${url}/openapi.json`))));
  writeFileSync(join(place, "use.ts"), readFileSync(join(home, "openapi_typescript.ts")));
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022"];
  const modules = ["--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node"];
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
  const compiler = join(home, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [compiler, ...strict, ...modules, "use.ts"], { cwd: place, stdio: ["ignore", 2, 2] });
  process.stdout.write(execFileSync(process.execPath, [join(place, "use.js"), url, text]));
} finally {
  rmSync(place, { recursive: true });
}
