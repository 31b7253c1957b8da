/**
 * The gate of Effect's language-service diagnostics: no finding, and every file of the project looked at.
 * Usage: `diagnostics.ts [PROJECT]`. The severities stand in `tsconfig.json`; all that is on there is an error.
 *
 * The count matters: given a project file of another name than `tsconfig.json` the tool checks nothing and exits 0.
 * So does the module resolution of `tsconfig.json`: under `NodeNext` TypeScript sees `import * as X from "effect/X"` as
 * an import of CommonJS and hands out copies of its symbols, which the rules about Effect's functions do not recognise.
 */
import { spawnSync } from "node:child_process"
import * as path from "node:path"

interface Report {
  readonly diagnostics: ReadonlyArray<{
    readonly file: string
    readonly line: number
    readonly column: number
    readonly name: string
    readonly message: string
  }>
  readonly summary: { readonly filesChecked: number; readonly totalFiles: number }
}

const fail = (reason: string): void => {
  console.error(`Effect diagnostics: ${reason}`)
  process.exitCode = 1
}

const project = process.argv[2] ?? "tsconfig.json"
const tool = path.join(import.meta.dirname, "../node_modules/.bin/effect-language-service")
const result = spawnSync(tool, ["diagnostics", "--project", project, "--format", "json", "--strict"], {
  encoding: "utf8",
  maxBuffer: 1 << 28
})

let report: Report | undefined
try {
  report = JSON.parse(result.stdout) as Report
} catch {
  fail(`no report (exit ${result.status}): ${result.stderr}`)
}
if (report !== undefined) {
  const { diagnostics, summary } = report
  for (const { file, line, column, name, message } of diagnostics) {
    console.error(`${path.relative("", file)}:${line}:${column} ${name}: ${message}`)
  }
  if (diagnostics.length > 0) fail(`${diagnostics.length} finding(s)`)
  else if (summary.totalFiles === 0 || summary.filesChecked !== summary.totalFiles) {
    fail(`${summary.filesChecked} of ${summary.totalFiles} files checked`)
  } else if (result.status !== 0) fail(`exit ${result.status}`)
  else console.log(`Effect diagnostics: ${summary.filesChecked} files, no finding`)
}
