/**
 * Agents in shell and Python, written as classic's README shows it, run unmodified with this `bd` on their PATH. They
 * find it by its name, read `--json` with jq or Python, and trust exit codes.
 */
import { spawnSync } from "node:child_process"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { describe, expect, it } from "vitest"
import { environment, ok, program, run, scratch } from "./bd.ts"

const has = (tool: string) => spawnSync(tool, ["--version"]).status === 0

/** A directory that holds `bd`, to be put on the PATH. */
const onPath = () => {
  const directory = scratch()
  const bd = join(directory, "bd")
  writeFileSync(bd, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(bd, 0o755)
  return `${directory}${delimiter}${environment["PATH"]}`
}

const project = async () => {
  const cwd = scratch()
  const env = { PATH: onPath() }
  ok(await run(["bd", "init", "--prefix", "app", "--quiet"], { cwd, env }))
  return { cwd, env, lines: () => readFileSync(join(cwd, ".beads/issues.jsonl"), "utf8").trim().split("\n") }
}

const shellAgent = `
set -euo pipefail

bd create "Set up the database" -p 1 -t task
SETUP=$(bd list --json | jq -r '.[0].id')
API=$(bd create "Create the API" -p 2 -t feature --json | jq -r '.id')
bd dep add "$API" "$SETUP"

# the blocked one is not offered
[ "$(bd ready --json | jq length)" = 1 ]

WORK=$(bd ready --limit 1 --json)
ISSUE_ID=$(echo "$WORK" | jq -r '.[0].id')
[ "$ISSUE_ID" = "$SETUP" ]
bd update "$ISSUE_ID" --status in_progress --json > /dev/null
[ "$(bd show "$ISSUE_ID" --json | jq -r '.[0].status')" = in_progress ]

BUG=$(bd create "Found a bug: \\$PATH & <quotes>" -t bug -p 0 -d "Found while working on $ISSUE_ID" -l found,urgent --json |
  jq -r '.id')
bd dep add "$BUG" "$ISSUE_ID" --type discovered-from
[ "$(bd show "$BUG" --json | jq -r '.[0].dependencies[0].dependency_type')" = discovered-from ]

bd close "$ISSUE_ID" --reason "Implemented" --json | jq -e '.[0].closed_at' > /dev/null

# most urgent first, and what had waited is free
bd ready --json | jq -r '.[].title'
[ "$(bd blocked --json | jq length)" = 0 ]
bd stats --json | jq -e '.closed_issues == 1 and .ready_issues == 2' > /dev/null
bd list --status closed --json | jq -r '.[] | "\\(.id) \\(.title)"' | wc -l | tr -d ' '

# nothing there: said by the exit code, and the pipe gets JSON all the same
if bd show app-none --json > answer.json 2> /dev/null; then exit 1; fi
jq -e .error.code answer.json > /dev/null
while read -r id; do bd close "$id"; done < <(bd ready --json | jq -r '.[].id')
[ "$(bd ready --json)" = "[]" ]
`

const pythonAgent = `
import json
import subprocess


class Agent:
    def run_bd(self, *args):
        result = subprocess.run(["bd"] + list(args) + ["--json"], capture_output=True, text=True, check=True)
        return json.loads(result.stdout) if result.stdout.strip() else {}

    def find_ready_work(self):
        ready = self.run_bd("ready", "--limit", "1")
        if isinstance(ready, list) and len(ready) == 0:
            return None
        return ready[0]

    def claim(self, issue_id):
        return self.run_bd("update", issue_id, "--status", "in_progress", "--assignee", "agent")

    def discover(self, title, found_from, priority=2):
        issue = self.run_bd("create", title, "-t", "task", "-p", str(priority))
        self.run_bd("dep", "add", issue["id"], found_from, "--type", "discovered-from")
        return issue["id"]

    def complete(self, issue_id, reason="Completed"):
        self.run_bd("close", issue_id, "--reason", reason)

    def work_once(self):
        issue = self.find_ready_work()
        if not issue:
            return False
        self.claim(issue["id"])
        print(f"P{issue['priority']} {issue['title']}")
        if "login" in issue["title"].lower():
            self.discover("Test what was done", issue["id"], priority=1)
        self.complete(issue["id"], "Completed by the agent")
        return True


agent = Agent()
agent.run_bd("create", "Add login", "-p", "0", "-t", "feature", "-d", "Ümläut, emoji 🐛")
agent.run_bd("create", "Write docs", "-p", "3")
for _ in range(10):
    if not agent.work_once():
        break
stats = agent.run_bd("stats")
print(stats["closed_issues"], stats["open_issues"], stats["in_progress_issues"])
assert all(issue["description"] is not None for issue in agent.run_bd("list"))
try:
    agent.run_bd("update", "app-none", "--status", "in_progress")
    raise SystemExit("an unknown id was taken")
except subprocess.CalledProcessError as error:
    assert error.returncode == 3, error.returncode
    assert "app-none" in error.stderr
`

describe("agents written for the classic bd", () => {
  it("have the tools they need here: jq and python3 (.ci/run installs them)", () => {
    expect(["jq", "bash", "python3"].filter(tool => !has(tool))).toEqual([])
  })

  it("G11: one in shell, with jq, takes up work, reports what it finds, and finishes", async () => {
    const { cwd, env, lines } = await project()
    const ended = ok(await run(["bash", "-c", shellAgent], { cwd, env }))
    expect(ended.stdout).toContain("Found a bug: $PATH & <quotes>\nCreate the API\n1\n")
    expect(ended.stderr).toBe("")
    const issues = lines().map(line => JSON.parse(line))
    expect(issues.map(({ status }) => status)).toEqual(["closed", "closed", "closed"])
    expect(issues.find(({ title }) => title.startsWith("Found")).dependencies[0].type).toBe("discovered-from")
  })

  it("G11: one in Python works off all there is", async () => {
    const { cwd, env, lines } = await project()
    const ended = ok(await run(["python3", "-c", pythonAgent], { cwd, env }))
    expect(ended.stdout).toBe("P0 Add login\nP1 Test what was done\nP3 Write docs\n3 0 0\n")
    expect(lines().map(line => JSON.parse(line).close_reason)).toEqual(Array(3).fill("Completed by the agent"))
  })
})
