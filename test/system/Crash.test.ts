/** G28: `kill -9` before any system call of a command; what the commands after it find. */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bd, bdCommand, bundled, copyOf, issues, leftovers, ok, repository } from "./bd.ts"
import { expectCovered, sweep } from "./crashing.ts"
import { killedAt, killPoints } from "./killing.ts"

/** The steps that a sweep must have been killed at. */
const publishing = [
  /^main pwrite64.*beads\.db-wal/,
  /^main fsync.*beads\.db-wal/,
  /^main pwrite64.*beads\.db>/,
  /^main openat.*\.tmp/,
  /^main pwrite64.*\.tmp/,
  /^pool fsync.*\.tmp/,
  /^pool fsync.*\.beads>/
]

const create = bdCommand("create", "new", "--json")

describe("kill -9", { timeout: 240_000 }, () => {
  it("G28: of create", async () => {
    const swept = await sweep("create", { template: await repository(["one", "two", "three"]), command: create })
    expectCovered(swept, [
      ...publishing,
      /^main link.*\.aside/,
      /^main rename.*issues\.jsonl"/,
      /^main unlink.*\.aside/,
      /^main write.*"id/
    ])
    expect(swept.changing).toBeGreaterThan(45)
    expect(swept.done).toBeGreaterThan(20)
    expect(swept.undone).toBeGreaterThan(20)
    expect(swept.acknowledged).toBeGreaterThan(1)
  })

  it("G28: of the create that makes the issue file", async () => {
    const swept = await sweep("first create", { template: await repository(), command: create, stride: 8 })
    expectCovered(swept, [...publishing, /^main link.*\.tmp.*issues\.jsonl"/])
    expect(swept.changing).toBeGreaterThan(45)
  })

  it("G28: of update, when the issue file has come anew from elsewhere", async () => {
    const template = await repository(["one", "two", "three"])
    const elsewhere = copyOf(template)
    const [one, two] = ["one", "two"].map(title => issues(template).find(issue => issue.title === title)?.id ?? "")
    ok(await bd(elsewhere, "update", two ?? "", "--title", "two elsewhere"))
    ok(await bd(elsewhere, "create", "four"))
    writeFileSync(template.issueFile, readFileSync(elsewhere.issueFile))
    const swept = await sweep("update after a pull", {
      template,
      command: bdCommand("update", one ?? "", "--title", "new", "--json"),
      stride: 8
    })
    expectCovered(swept, publishing)
    expect(swept.changing).toBeGreaterThan(45)
  })

  it("G28: of the command that tidies up after another that was killed", async () => {
    const template = await repository(["one", "two"])
    const points = await killPoints(bdCommand("create", "three"), () => ({ cwd: copyOf(template).directory }))
    // the file is new, the aside is there, the marks are not cleared
    const point = points.find(({ call, name }) => name === "unlink" && call.includes(".aside"))
    if (point === undefined) throw new Error("create lets no aside go")
    await killedAt(point, bdCommand("create", "three"), { cwd: template.directory })
    expect(leftovers(template)).toEqual([".issues.jsonl.aside"])
    const swept = await sweep("create after a crash", { template, command: create, stride: 8 })
    expectCovered(swept, publishing)
  })

  it("G28: of delete, and of a flush of what was kept back", async () => {
    const template = await repository(["one", "two"])
    const [one] = issues(template)
    const deleting = await sweep("delete", {
      template,
      command: bdCommand("delete", one?.id ?? "", "--force", "--json"),
      stride: 20
    })
    expectCovered(deleting, publishing)
    expect(deleting.done).toBeGreaterThan(10)
    expect(deleting.undone).toBeGreaterThan(10)

    ok(await bd(template, "create", "kept back", "--no-auto-flush"))
    const flushing = await sweep("flush", { template, command: bdCommand("flush", "--json"), stride: 20 })
    expectCovered(flushing, [/^main pwrite64.*\.tmp/, /^pool fsync.*\.tmp/, /^main rename.*issues\.jsonl"/])
    expect(flushing.changing).toBeGreaterThan(20)
    // the change was committed before
    expect(flushing.undone).toBe(0)
  })

  it("G28: of init, with an issue file that a clone brought", async () => {
    const template = await repository(["one", "two"])
    for (const name of ["beads.db", "config.yaml", "metadata.json", ".gitignore", "issues.jsonl.lock"])
      rmSync(join(template.beads, name))
    const swept = await sweep("init", {
      template,
      command: bdCommand("init", "--prefix", "u"),
      stride: 8,
      // small files, ignored by git
      left: /^\.(\.gitignore|metadata\.json|config\.yaml)\.\d+\.tmp$/
    })
    expectCovered(swept, [/^main pwrite64.*beads\.db-wal/, /metadata\.json/])
  })

  it("G28: of a debounced flush in an application, once it has acknowledged its changes", async () => {
    const swept = await sweep("debounced flush", {
      template: await repository(["one", "two"]),
      command: [...(await bundled("embedder.ts")), ".beads"],
      stride: 2,
      from: /^write\(1<.*"changed/
    })
    expectCovered(swept, [
      /^main pwrite64.*beads\.db-wal/,
      /^main pwrite64.*beads\.db>/,
      /^main openat.*\.tmp/,
      /^main pwrite64.*\.tmp/,
      /^pool fsync.*\.tmp/,
      /^pool fsync.*\.beads>/,
      /^main link.*\.aside/,
      /^main rename.*issues\.jsonl"/,
      /^main unlink.*\.aside/
    ])
    expect(swept.changing).toBeGreaterThan(20)
    expect(swept.undone).toBeLessThan(2)
  })
})
