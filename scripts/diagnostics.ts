/**
 * The gate of Effect's language-service diagnostics: no finding, and every file of the project looked at.
 * The count matters: given a project file of another name than `tsconfig.json` the tool checks nothing and exits 0.
 */
import { spawnSync } from "node:child_process"

const result = spawnSync(
  "node_modules/.bin/effect-language-service",
  ["diagnostics", "--project", "tsconfig.json", "--format", "json", "--strict"],
  { encoding: "utf8", maxBuffer: 1 << 28 }
)
const { diagnostics, summary } = JSON.parse(result.stdout)
for (const one of diagnostics) console.error(JSON.stringify(one))
const complete = summary.totalFiles > 0 && summary.filesChecked === summary.totalFiles
if (!complete || diagnostics.length > 0 || result.status !== 0) {
  console.error(
    `Effect diagnostics: ${diagnostics.length} finding(s), ${summary.filesChecked}/${summary.totalFiles} files`
  )
  process.exitCode = 1
}
