/** What `bd` leaves alone (G30), and what it does without (G31). */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, expect, it } from "vitest"
import { start } from "./bd.ts"
import { at, type Clone, linesOf, type Place, place, until } from "./git.ts"

let scratch: Place
let repo: Clone
let home: string
beforeEach(async () => {
  scratch = place()
  home = join(scratch.root, "home")
  mkdirSync(join(home, "tmp"), { recursive: true })
  const made = await scratch.repository("repo")
  repo = at({ ...made, env: { ...made.env, HOME: home, TMPDIR: join(home, "tmp") } }, "repo", made.directory)
  writeFileSync(join(repo.directory, "source.txt"), "source\n")
  await repo.bd("init", "--prefix", "x")
  await repo.bd("create", "first", "--id", "x-one")
  await repo.commit("first")
  writeFileSync(join(repo.directory, "source.txt"), "edited, not staged\n")
})

/** Every file below a directory with its bytes, but those in `.beads`. */
const contents = (directory: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(directory, { recursive: true, encoding: "utf8" }).flatMap(name => {
      const path = join(directory, name)
      if (/(^|\/)\.beads(\/|$)/.test(name) || !lstatSync(path).isFile()) return []
      return [[name, readFileSync(path, "latin1")] as const]
    })
  )

/** Processes that run in a directory. */
const processesIn = (directory: string): ReadonlyArray<string> =>
  readdirSync("/proc").flatMap(pid => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const isThere = readlinkSync(`/proc/${pid}/cwd`).startsWith(directory)
      return isThere ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] : []
    } catch {
      // it has ended
      return []
    }
  })

const work = async () => {
  const exported = join(scratch.root, "exported.txt")
  for (const words of [
    ["create", "second", "--id", "x-two", "--deps", "x-one"],
    ["update", "x-one", "--title", "changed", "--add-label", "l"],
    ["comments", "add", "x-one", "a comment"],
    ["close", "x-two"],
    ["delete", "x-two", "--force"],
    ["undelete", "x-two"],
    ["rename-prefix", "y"],
    ["export", "-o", exported],
    ["import", "-i", exported],
    ["flush"],
    ["list"],
    ["ready"]
  ]) {
    await repo.bd(...words)
  }
  expect(linesOf(repo.file)).toHaveLength(4)
}

it("G30: outside .beads no file changes, nothing is staged or committed, home and scratch directories stay empty", async () => {
  const before = contents(repo.directory)
  expect([...before.keys()]).toEqual(expect.arrayContaining(["source.txt", ".git/index", ".git/HEAD"]))
  await work()
  expect(contents(repo.directory)).toEqual(before)
  expect(contents(home)).toEqual(new Map())
  const status = await repo.git("status", "--porcelain", "--untracked-files=all")
  expect(status.trimEnd().split("\n")).toEqual([
    // rename-prefix keeps the prefix of new ids there
    " M .beads/config.yaml",
    " M .beads/issues.jsonl",
    " M source.txt"
  ])
})

it("G31: when a command has ended no process of it is left, and all it did stands in the file", async () => {
  const sleeper = start(["sleep", "60"], { cwd: repo.directory })
  await until(() => processesIn(repo.directory).length === 1)
  sleeper.child.kill()
  await sleeper.ended
  await repo.bd("update", "x-one", "--title", "changed")
  expect(linesOf(repo.file).map(line => JSON.parse(line).title)).toEqual(["changed"])
  await work()
  expect(processesIn(repo.directory)).toEqual([])
})
