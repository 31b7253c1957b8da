/**
 * Other programs that write the issue file between two commands: an editor, another tool, git. Merged where both sides
 * changed (G16, G22), followed where only the file did (G20), never overwritten, never shrunk (G19, G23).
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import {
  at,
  type Clone,
  create,
  fingerprint,
  issuesIn,
  linesOf,
  type Place,
  place,
  type Shown,
  show,
  storeOf
} from "./git.ts"

let scratch: Place
let repo: Clone
beforeEach(async () => {
  scratch = place()
  repo = await scratch.repository("repo")
  await repo.bd("init", "--prefix", "x")
})

const writeLines = (clone: Clone, lines: ReadonlyArray<string>) =>
  writeFileSync(clone.file, lines.map(line => `${line}\n`).join(""))

/** Another program changes members of one line, as it would: parsed and written again, all else kept. */
const editLine = (clone: Clone, id: string, members: Readonly<Record<string, unknown>>) =>
  writeLines(
    clone,
    linesOf(clone.file).map(line => {
      const issue = JSON.parse(line) as Shown
      return issue.id === id ? JSON.stringify({ ...issue, ...members }) : line
    })
  )

/** Store and file say the same, nothing waits, and another flush writes nothing. */
const expectSettled = async (clone: Clone) => {
  const before = fingerprint(clone.file)
  await clone.bd("flush", "--full")
  await clone.bd("list")
  expect(fingerprint(clone.file)).toEqual(before)
  const { issues, marks } = storeOf(clone)
  expect(marks).toEqual([])
  expect((issues as ReadonlyArray<{ line: string }>).map(({ line }) => line)).toEqual(linesOf(clone.file))
}

describe("an edit by another program", () => {
  it("G20, G22: between two commands is taken over, and kept by the next change", async () => {
    const one = await create(repo, "one")
    const two = await create(repo, "two")
    editLine(repo, one, { title: "one, edited", custom: { n: 1 }, labels: ["theirs"] })
    writeLines(repo, [
      ...linesOf(repo.file),
      JSON.stringify({ id: "x-zzz", title: "theirs", status: "open", priority: 1 })
    ])
    expect(await show(repo, one)).toMatchObject({ title: "one, edited", labels: ["theirs"] })
    expect(await show(repo, "x-zzz")).toMatchObject({ title: "theirs" })
    await repo.bd("update", one, "--notes", "mine")
    await repo.bd("update", two, "--notes", "mine")
    const issues = issuesIn(repo.file)
    expect(issues.get(one)).toMatchObject({ title: "one, edited", custom: { n: 1 }, labels: ["theirs"], notes: "mine" })
    expect(issues.get(two)).toMatchObject({ title: "two", notes: "mine" })
    expect(issues.get("x-zzz")).toMatchObject({ title: "theirs" })
    await expectSettled(repo)
  })

  for (const [name, flush] of [
    ["bd flush", (clone: Clone) => clone.bd("flush")],
    ["another change", (clone: Clone) => clone.bd("create", "another")],
    ["a change of the same issue", (clone: Clone) => clone.bd("comments", "add", "x-one", "said later")],
    [
      "a read, then bd flush",
      async (clone: Clone) => {
        await clone.bd("list")
        await clone.bd("flush")
      }
    ]
  ] as const) {
    it(`G16, G22: between a change and its flush by ${name} is merged, not overwritten`, async () => {
      await repo.bd("create", "one", "--id", "x-one", "-l", "kept,old")
      await repo.bd("create", "two", "--id", "x-two")
      const published = readFileSync(repo.file, "utf8")
      const notice = await repo.bd(
        "update",
        "x-one",
        "--notes",
        "mine",
        "--add-label",
        "mine",
        "--remove-label",
        "old",
        "--no-auto-flush"
      )
      expect(notice.stderr).toMatch(/not published/i)
      await repo.bd("update", "x-two", "--title", "two by me", "--no-auto-flush")
      await repo.bd("comments", "add", "x-one", "my comment", "--no-auto-flush")
      // the change is in the store only: that is the moment this test is about
      expect(readFileSync(repo.file, "utf8")).toBe(published)
      expect(storeOf(repo).marks.length).toBe(2)
      editLine(repo, "x-one", {
        title: "one by them",
        labels: ["kept", "old", "theirs"],
        updated_at: new Date().toISOString()
      })
      editLine(repo, "x-two", { description: "two by them" })
      writeLines(repo, [...linesOf(repo.file), JSON.stringify({ id: "x-zzz", title: "theirs" })])
      await flush(repo)
      const issues = issuesIn(repo.file)
      expect(issues.get("x-one")).toMatchObject({
        title: "one by them",
        notes: "mine",
        labels: ["kept", "mine", "theirs"],
        comments: expect.arrayContaining([expect.objectContaining({ text: "my comment" })])
      })
      expect(issues.get("x-two")).toMatchObject({ title: "two by me", description: "two by them" })
      expect(issues.get("x-zzz")).toMatchObject({ title: "theirs" })
      await expectSettled(repo)
    })
  }

  it("G20: an edit that keeps size and modification time is seen all the same", async () => {
    await repo.bd("create", "one", "--id", "x-one")
    const { atimeMs, mtimeMs } = statSync(repo.file)
    writeFileSync(repo.file, readFileSync(repo.file, "utf8").replace('"one"', '"eno"'))
    utimesSync(repo.file, atimeMs / 1000, mtimeMs / 1000)
    expect(await show(repo, "x-one")).toMatchObject({ title: "eno" })
    await repo.bd("update", "x-one", "--notes", "mine")
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ title: "eno", notes: "mine" })
  })

  it("G17: a line that is cut off is refused by its number, and kept until it is mended", async () => {
    await repo.bd("create", "one", "--id", "x-one")
    await repo.bd("create", "two", "--id", "x-two")
    const good = readFileSync(repo.file, "utf8")
    const cut = good.slice(0, -20)
    writeFileSync(repo.file, cut)
    const ran = await repo.tryBd("update", "x-one", "--notes", "mine", "--json")
    expect(ran).toMatchObject({ exitCode: 7, stderr: expect.stringMatching(/line 2|:2\b/) })
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "publish_failed" } })
    expect(await repo.tryBd("flush")).toMatchObject({ exitCode: 8 })
    expect(readFileSync(repo.file, "utf8")).toBe(cut)
    writeFileSync(repo.file, good)
    await repo.bd("flush")
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ notes: "mine" })
    await expectSettled(repo)
  })
})

describe("a line that is gone", () => {
  it("G19: comes back with the next change, not with a read; import --prune lets it go", async () => {
    for (const id of ["x-one", "x-three", "x-two"]) await repo.bd("create", id, "--id", id)
    const lines = linesOf(repo.file)
    const without = (id: string) => lines.filter(line => !line.includes(`"${id}"`))
    writeLines(repo, without("x-two"))
    const before = fingerprint(repo.file)
    await repo.bd("list")
    await repo.bd("show", "x-two")
    expect(fingerprint(repo.file)).toEqual(before)
    await repo.bd("update", "x-one", "--notes", "n")
    expect([...issuesIn(repo.file).keys()]).toEqual(["x-one", "x-three", "x-two"])
    expect(linesOf(repo.file)[2]).toBe(lines[2])

    writeLines(
      repo,
      linesOf(repo.file).filter(line => !line.includes('"x-two"'))
    )
    const { stderr } = await repo.bd("import", "-i", ".beads/issues.jsonl", "--prune")
    expect(stderr).toMatch(/1 let go/)
    await repo.bd("update", "x-one", "--notes", "m")
    expect([...issuesIn(repo.file).keys()]).toEqual(["x-one", "x-three"])
    expect((await repo.tryBd("show", "x-two")).exitCode).toBe(3)
    await expectSettled(repo)
  })

  it("G19: an empty file, and none at all, shrink nothing", async () => {
    const ids = ["x-one", "x-two"]
    for (const id of ids) await repo.bd("create", id, "--id", id)
    const good = readFileSync(repo.file, "utf8")
    writeFileSync(repo.file, "")
    await repo.bd("flush")
    expect(readFileSync(repo.file, "utf8")).toBe(good)
    rmSync(repo.file)
    expect(JSON.parse((await repo.bd("list", "--json")).stdout)).toHaveLength(2)
    expect(existsSync(repo.file)).toBe(false)
    await repo.bd("flush")
    expect(readFileSync(repo.file, "utf8")).toBe(good)
    // an empty store beside a full file
    for (const name of ["beads.db", "beads.db-wal", "beads.db-shm"]) {
      rmSync(join(repo.directory, ".beads", name), { force: true })
    }
    await repo.bd("create", "three", "--id", "x-zzz")
    expect([...issuesIn(repo.file).keys()]).toEqual([...ids, "x-zzz"])
    await expectSettled(repo)
  })
})

describe("git goes back and forth", () => {
  beforeEach(async () => {
    for (const id of ["x-one", "x-three", "x-two"]) await repo.bd("create", `${id} at first`, "--id", id)
    await repo.commit("first")
    await repo.git("branch", "older")
    await repo.bd("update", "x-one", "--title", "x-one later", "--add-label", "later")
    await repo.bd("comments", "add", "x-one", "said later")
    await repo.bd("close", "x-three")
    await repo.bd("delete", "x-two", "--force")
    await repo.bd("create", "x-zzz later", "--id", "x-zzz")
    await repo.commit("second")
  })

  it("G19, G20, G23: checkout of an older branch: clean rows follow, the deleted stays so, new issues stay", async () => {
    await repo.git("checkout", "--quiet", "older")
    const before = fingerprint(repo.file)
    expect(await show(repo, "x-one")).toMatchObject({ title: "x-one at first" })
    expect((await show(repo, "x-one")).comments).toBeUndefined()
    expect(await show(repo, "x-three")).toMatchObject({ status: "open" })
    expect((await repo.tryBd("show", "x-two")).exitCode).toBe(3)
    expect(await show(repo, "x-zzz")).toMatchObject({ title: "x-zzz later" })
    expect(fingerprint(repo.file)).toEqual(before)
    await repo.git("checkout", "--quiet", "main")
    expect(await show(repo, "x-one")).toMatchObject({ title: "x-one later", labels: ["later"] })
    expect(await show(repo, "x-three")).toMatchObject({ status: "closed" })
    await repo.bd("flush")
    expect(await repo.git("status", "--porcelain")).toBe("")
    await expectSettled(repo)
  })

  it("G20: a change that is not published goes with the checkout, field by field", async () => {
    await repo.bd("update", "x-one", "--notes", "carried", "--no-auto-flush")
    await repo.bd("update", "x-three", "--priority", "0", "--no-auto-flush")
    await repo.git("checkout", "--quiet", "older")
    await repo.bd("flush")
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ title: "x-one at first", notes: "carried" })
    expect(issuesIn(repo.file).get("x-one")?.labels).toBeUndefined()
    expect(issuesIn(repo.file).get("x-three")).toMatchObject({ status: "open", priority: 0 })
    expect(issuesIn(repo.file).get("x-two")).toMatchObject({ status: "tombstone" })
    expect(issuesIn(repo.file).get("x-zzz")).toMatchObject({ title: "x-zzz later" })
    await expectSettled(repo)
  })

  it("G20, G23: reset --hard: clean rows follow, changes not published carry, the deleted stays so", async () => {
    await repo.bd("update", "x-three", "--notes", "carried", "--no-auto-flush")
    await repo.git("reset", "--quiet", "--hard", "HEAD~1")
    expect(await show(repo, "x-one")).toMatchObject({ title: "x-one at first" })
    expect((await repo.tryBd("show", "x-two")).exitCode).toBe(3)
    await repo.bd("flush")
    expect(issuesIn(repo.file).get("x-two")).toMatchObject({ status: "tombstone" })
    expect(issuesIn(repo.file).get("x-three")).toMatchObject({ status: "open", notes: "carried" })
    expect(issuesIn(repo.file).get("x-zzz")).toMatchObject({ title: "x-zzz later" })
    await expectSettled(repo)
  })

  it("G20: stash and stash pop: published changes go and come back, later ones stay", async () => {
    await repo.bd("update", "x-one", "--notes", "stashed")
    await repo.bd("create", "x-new", "--id", "x-new")
    await repo.git("stash")
    expect((await show(repo, "x-one"))["notes"]).toBeUndefined()
    expect(await show(repo, "x-new")).toMatchObject({ title: "x-new" })
    await repo.git("stash", "pop")
    expect(await show(repo, "x-one")).toMatchObject({ notes: "stashed" })
    await repo.bd("flush")
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ notes: "stashed", title: "x-one later" })
    expect(issuesIn(repo.file).get("x-new")).toMatchObject({ title: "x-new" })
    await expectSettled(repo)
  })
})

describe("a read", () => {
  it("G15: never writes the issue file, whatever has happened to it, and leaves the store alone if nothing came", async () => {
    for (const id of ["x-one", "x-two"]) await repo.bd("create", id, "--id", id)
    const reads = [
      ["list"],
      ["list", "--json"],
      ["show", "x-one"],
      ["ready"],
      ["export"],
      ["label", "list-all"],
      ["comments", "x-one"],
      ["dep", "list", "x-one"]
    ]
    const readAll = async () => {
      const before = fingerprint(repo.file)
      for (const words of reads) await repo.bd(...words)
      expect(fingerprint(repo.file)).toEqual(before)
    }
    const store = () => statSync(join(repo.directory, ".beads/beads.db"), { bigint: true }).mtimeNs
    await readAll()
    const untouched = store()
    await readAll()
    expect(store()).toBe(untouched)
    // marks wait
    await repo.bd("update", "x-one", "--notes", "mine", "--no-auto-flush")
    await readAll()
    // an edit came, unsorted and without its last line feed
    writeFileSync(repo.file, [...linesOf(repo.file)].reverse().join("\n").replace('"x-two",', '"x-two-b",'))
    await readAll()
    expect(storeOf(repo).marks.length).toBeGreaterThan(0)
    await repo.bd("flush")
    expect([...issuesIn(repo.file).keys()]).toEqual(["x-one", "x-two", "x-two-b"])
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ notes: "mine" })
  })
})

describe("places", () => {
  it("G16, G22: a linked work tree has its own .beads, and both meet by merge", async () => {
    await repo.bd("create", "one", "--id", "x-one")
    await repo.commit("first")
    const directory = join(scratch.root, "linked")
    await repo.git("worktree", "add", "--quiet", "-b", "side", directory)
    const linked = at(repo, "linked", directory)
    await linked.bd("update", "x-one", "--notes", "in the linked one")
    expect(issuesIn(linked.file).get("x-one")).toMatchObject({ notes: "in the linked one" })
    expect(issuesIn(repo.file).get("x-one")?.["notes"]).toBeUndefined()
    // git at work in the one does not keep bd from working in the other
    const lock = (await linked.git("rev-parse", "--git-path", "index.lock")).trim()
    writeFileSync(lock, "")
    await repo.bd("update", "x-one", "--title", "in the first", "--lock-timeout", "2s")
    const ran = await linked.tryBd("update", "x-one", "--priority", "0", "--lock-timeout", "300ms")
    expect(ran.exitCode).toBeGreaterThanOrEqual(6)
    expect(ran.stderr).toContain("index.lock")
    rmSync(lock)
    await linked.commit("linked")
    await repo.commit("here")
    writeFileSync(join(repo.directory, ".git/info/attributes"), ".beads/issues.jsonl merge=union\n")
    await repo.git("merge", "--quiet", "--no-edit", "side")
    expect(linesOf(repo.file)).toHaveLength(2)
    await repo.bd("flush")
    expect(linesOf(repo.file)).toHaveLength(1)
    expect(issuesIn(repo.file).get("x-one")).toMatchObject({ title: "in the first", notes: "in the linked one" })
  })

  it("G12: an issue file that is a link is written where it leads; two .beads that share it share the lock", async () => {
    const shared = join(repo.directory, "tracked")
    mkdirSync(shared)
    await repo.bd("create", "one", "--id", "x-one")
    renameSync(repo.file, join(shared, "all.jsonl"))
    symlinkSync("../tracked/all.jsonl", repo.file)
    const other = at(repo, "other", join(repo.directory, "other"))
    mkdirSync(join(other.directory, ".beads"), { recursive: true })
    symlinkSync("../../tracked/all.jsonl", other.file)
    await other.bd("init", "--prefix", "x")
    const ids = await Promise.all([0, 1, 2, 3, 4, 5].map(i => create(i % 2 === 0 ? repo : other, `number ${i}`)))
    await Promise.all([repo, other].map(clone => clone.bd("list")))
    expect([...issuesIn(join(shared, "all.jsonl")).keys()].sort()).toEqual(["x-one", ...ids].sort())
    expect(readFileSync(repo.file, "utf8")).toBe(readFileSync(join(shared, "all.jsonl"), "utf8"))
    expect(storeOf(repo).issues).toEqual(storeOf(other).issues)
  })

  it("G12, G33: a link out of the work tree is refused, and nothing is written there", async () => {
    const outside = join(scratch.root, "outside.jsonl")
    writeFileSync(outside, "precious\n")
    rmSync(repo.file, { force: true })
    symlinkSync(outside, repo.file)
    const ran = await repo.tryBd("create", "one")
    expect(ran).toMatchObject({ exitCode: 8, stderr: expect.stringContaining("outside") })
    expect(readFileSync(outside, "utf8")).toBe("precious\n")
  })

  it("G16: in a hook, where git holds its own lock, bd does not wait for git", async () => {
    await repo.bd("create", "one", "--id", "x-one")
    await repo.commit("first")
    const seen = join(scratch.root, "seen")
    const hook = `#!/bin/sh
env | grep -c '^GIT_INDEX_FILE=' > "${seen}"
ls "$(git rev-parse --git-path index.lock)" >> "${seen}" 2>&1
bd update x-one --notes "from the hook" --lock-timeout 5s && git add .beads/issues.jsonl
`
    writeFileSync(join(repo.directory, ".git/hooks/pre-commit"), hook, { mode: 0o755 })
    await repo.bd("update", "x-one", "--title", "changed")
    // with --all git holds index.lock while the hook runs
    await repo.git("commit", "--quiet", "--all", "--message", "with a hook")
    expect(readFileSync(seen, "utf8")).toMatch(/^1\n.*index\.lock\n$/)
    expect(JSON.parse(readFileSync(repo.file, "utf8"))).toMatchObject({ title: "changed", notes: "from the hook" })
  })

  it("G30: a sub-directory finds the .beads above it; BEADS_DIR and --db name another", async () => {
    await repo.bd("create", "one", "--id", "x-one")
    const deep = at(repo, "deep", join(repo.directory, "a/b/c"))
    mkdirSync(deep.directory, { recursive: true })
    expect(JSON.parse((await deep.bd("list", "--json")).stdout)).toMatchObject([{ id: "x-one" }])
    const elsewhere = await scratch.repository("elsewhere")
    const listed = await elsewhere.bd("--db", join(repo.directory, ".beads/beads.db"), "list", "--json")
    expect(JSON.parse(listed.stdout)).toMatchObject([{ id: "x-one" }])
    const ran = await elsewhere.tryBd("list")
    expect(ran.exitCode).toBe(1)
    expect(existsSync(join(elsewhere.directory, ".beads"))).toBe(false)
  })
})
