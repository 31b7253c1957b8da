/** Builds what exists: the `bd` program from `src/cli/bd.ts`, the library from `src/index.ts`. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { build } from "esbuild"

if (existsSync("src/cli/bd.ts")) {
  await build({
    entryPoints: ["src/cli/bd.ts"],
    outfile: "dist/bin/bd.js",
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3"]
  })
}
if (existsSync("src/index.ts")) {
  execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
}
