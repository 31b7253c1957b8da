// Shows the main job: a change made with bd stands in the issue file that git tracks.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
const bd = fileURLToPath(new URL(`../${manifest.bin.bd}`, import.meta.url))
const project = mkdtempSync(join(tmpdir(), "bd-demo-"))
const run = (command, ...args) => {
  process.stdout.write(
    `$ ${command === process.execPath ? ["bd", ...args.slice(1)].join(" ") : [command, ...args].join(" ")}\n`
  )
  process.stdout.write(execFileSync(command, args, { cwd: project, encoding: "utf8" }))
}

try {
  run("git", "init", "--quiet")
  run(process.execPath, bd, "init", "--prefix", "demo", "--quiet")
  run(process.execPath, bd, "create", "A first issue", "-p", "1")
  run(process.execPath, bd, "ready")
  run("cat", ".beads/issues.jsonl")
  run("git", "status", "--short", "--untracked-files=all")
} finally {
  rmSync(project, { recursive: true, force: true })
}
