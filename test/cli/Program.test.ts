import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { bd, directory, project } from "./harness.ts"

describe("changes", () => {
  it.scopedLive("G11: exit 0 of a change means its line is in the issue file", () =>
    Effect.gen(function* () {
      const { json, lines, run } = yield* project
      const issue = yield* json("create", "First <x>", "-p0", "-t", "bug", "-l", "ui,back", "-d", "why")
      expect(issue).toMatchObject({
        title: "First <x>",
        priority: 0,
        issue_type: "bug",
        labels: ["back", "ui"],
        created_by: "ann"
      })
      expect(lines()).toContain(`{"id":"${issue.id}","title":"First \\u003cx\\u003e"`)
      expect(yield* run("close", issue.id, "-r", "done")).toEqual({
        exitCode: 0,
        stdout: `✓ Closed ${issue.id}: done\n`,
        stderr: ""
      })
      expect(lines()).toContain('"status":"closed"')
    })
  )

  it.scopedLive(
    "G11: a change that cannot be published exits 7, says so with the id, and goes with the next flush",
    () =>
      Effect.gen(function* () {
        const { create, file, lines, run } = yield* project
        yield* create("First")
        const good = lines()
        writeFileSync(file, `${good}<<<<<<< HEAD\n`)
        const failed = yield* run("create", "Second", "--json")
        expect(failed.exitCode).toBe(7)
        const { error } = JSON.parse(failed.stdout)
        expect(error).toMatchObject({ code: "publish_failed", id: expect.stringMatching(/^app-/) })
        expect(failed.stderr).toContain("line 2")
        expect(lines()).toBe(`${good}<<<<<<< HEAD\n`)
        // asked for by name, nothing stands that could be committed: 8
        expect(yield* run("flush")).toMatchObject({ exitCode: 8 })
        writeFileSync(file, good)
        expect(yield* run("flush")).toMatchObject({ exitCode: 0 })
        expect(lines()).toContain(`"id":"${error.id}"`)
      })
  )

  it.scopedLive("G11: --no-auto-flush commits, leaves the file, says so, exits 0", () =>
    Effect.gen(function* () {
      const { file, lines, run } = yield* project
      const kept = yield* run("create", "Later", "--no-auto-flush")
      expect(kept).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("Not published") })
      expect(existsSync(file)).toBe(false)
      expect(yield* run("flush")).toMatchObject({ exitCode: 0 })
      expect(lines()).toContain('"title":"Later"')
    })
  )

  it.scopedLive("several ids: each is tried, failures are told, exit is the first failure's code", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      const id = yield* create("First")
      const some = yield* run("update", "nope", id, "--status", "in_progress", "--json")
      expect(some).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/^Error: no issue found matching "nope"\nHint: bd list shows/)
      })
      expect(JSON.parse(some.stdout)).toMatchObject([{ id, status: "in_progress" }])
      const none = yield* run("update", "nope", "no", "--status", "open", "--json")
      expect(none.exitCode).toBe(3)
      expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: "not_found", id: "nope" } })
      expect(none.stderr).toContain('"no"')
    })
  )

  it.scopedLive("7 outranks 3 with several ids", () =>
    Effect.gen(function* () {
      const { create, file, lines, run } = yield* project
      const id = yield* create("First")
      writeFileSync(file, `${lines()}not json\n`)
      expect(yield* run("close", "nope", id)).toMatchObject({ exitCode: 7 })
    })
  )

  it.scopedLive("G11: a failed publish is told once, with what to do; a warning that it does not tell is kept", () =>
    Effect.gen(function* () {
      const { create, file, lines, run } = yield* project
      const id = yield* create("First")
      writeFileSync(file, `${lines()}not json\n`)
      const count = (text: string, part: string) => text.split(part).length - 1
      const changed = yield* run("update", id, "-p", "1")
      expect(changed.exitCode).toBe(7)
      expect(count(changed.stderr, "line 2")).toBe(1)
      expect(changed.stderr).toMatch(/^Error: not published: .*\nHint: the change is committed.*\n$/)
      const flushed = yield* run("flush")
      expect(flushed.exitCode).toBe(8)
      expect(flushed.stderr).toMatch(/^Error: not published: .*\nHint: no change is lost: .*\n$/)
      // nothing was changed, so nothing is published: the line may be why
      const none = yield* run("update", "nope", "-p", "1")
      expect(none.exitCode).toBe(3)
      expect(none.stderr).toMatch(/^Warning: .*line 2.*\nError: no issue found matching "nope"\n/)
      const later = yield* run("update", id, "-p", "2", "--no-auto-flush")
      expect(count(later.stderr, "line 2")).toBe(1)
    })
  )

  it.scopedLive("a claim has one winner, and exit code 5 for the others", () =>
    Effect.gen(function* () {
      const { create, run, runWith } = yield* project
      const id = yield* create("Wanted")
      const claims = yield* Effect.forEach(["bob", "eve"], actor =>
        runWith({ env: { BD_ACTOR: actor } }, "update", id, "--claim")
      )
      expect(claims.map(({ exitCode }) => exitCode)).toEqual([0, 5])
      expect(claims[1]?.stderr).toContain("already claimed by bob")
      expect((yield* run("list")).stdout).toContain("in_progress @bob")
    })
  )

  it.scopedLive("invalid values exit 4, cycles 5 with the cycle shown; nothing is changed", () =>
    Effect.gen(function* () {
      const { create, lines, run } = yield* project
      const a = yield* create("A")
      const b = yield* create("B", "--blocked-by", a)
      const before = lines()
      expect(yield* run("update", a, "-p", "9")).toMatchObject({ exitCode: 4 })
      expect(yield* run("create", "")).toMatchObject({ exitCode: 4 })
      expect(yield* run("create", "x", "-t", "story")).toMatchObject({ exitCode: 4 })
      const cycle = yield* run("dep", "add", a, b)
      expect(cycle).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(`${a} → ${b} → ${a}`) })
      expect(lines()).toBe(before)
    })
  )

  it.scopedLive("what is asked for twice in different words is a usage error, not half of it done", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      yield* create("A")
      expect(yield* run("sync", "--flush-only", "--import-only")).toMatchObject({ exitCode: 2 })
      expect(yield* run("list", "--fields", "")).toMatchObject({ exitCode: 4, stdout: "" })
    })
  )

  it.scopedLive("G30: --db or BEADS_DIR that name no project make none, and the message names the place", () =>
    Effect.gen(function* () {
      const { at, create, run, runWith } = yield* project
      yield* create("A")
      const before = readdirSync(at)
      for (const ran of [
        yield* run("create", "x", "--db", path.join(at, "typo.db")),
        yield* run("list", "--db", at),
        yield* runWith({ env: { BEADS_DIR: at } }, "list")
      ]) {
        expect(ran).toMatchObject({ exitCode: 1, stdout: "" })
        expect(ran.stderr).toContain(`no beads database found in "${at}"`)
      }
      expect(readdirSync(at)).toEqual(before)
      // of a clone without a store yet, the name is the project's
      expect(yield* run("list", "--db", path.join(at, ".beads/beads.db"))).toMatchObject({ exitCode: 0 })
    })
  )

  it.scopedLive("G30: a store of another name than the project's is not made beside it", () =>
    Effect.gen(function* () {
      const { at, create, run, runWith } = yield* project
      yield* create("A")
      const other = path.join(at, ".beads/other.db")
      const refused = {
        exitCode: 8,
        stdout: "",
        stderr: expect.stringContaining("the store of this .beads is beads.db")
      }
      expect(yield* run("list", "--db", other)).toMatchObject(refused)
      expect(yield* runWith({ env: { BEADS_DB: other } }, "create", "B")).toMatchObject(refused)
      expect(existsSync(other)).toBe(false)
      rmSync(path.join(at, ".beads/beads.db"))
      expect(yield* run("list", "--db", path.join(at, ".beads/beads.db"))).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("- A")
      })
    })
  )

  it.scopedLive("G30 G32: what is no store by its name is not opened as one, and nobody is told to move it aside", () =>
    Effect.gen(function* () {
      const { create, file, lines, run, runWith } = yield* project
      yield* create("A")
      const before = lines()
      for (const ran of [
        yield* run("list", "--db", file),
        yield* run("create", "B", "--db", file),
        yield* runWith({ env: { BEADS_DB: "/etc/passwd" } }, "list")
      ]) {
        expect(ran).toMatchObject({
          exitCode: 1,
          stdout: "",
          stderr: expect.stringContaining("no beads database found")
        })
        expect(ran.stderr).not.toContain("aside")
      }
      expect(lines()).toBe(before)
    })
  )

  it.scopedLive("G33: a prefix in config.yaml that makes no sense is told and passed over", () =>
    Effect.gen(function* () {
      const { at, create, run } = yield* project
      yield* create("A")
      for (const prefix of ["../x", "a b", "\u001b[31m"]) {
        writeFileSync(path.join(at, ".beads/config.yaml"), `issue-prefix: ${JSON.stringify(prefix)}\n`)
        expect(yield* run("q", "B")).toMatchObject({
          exitCode: 0,
          stdout: expect.stringMatching(/^app-/),
          stderr: expect.stringContaining("it is not heeded")
        })
      }
    })
  )

  it.scopedLive("config.yaml holds settings: flag before environment before it", () =>
    Effect.gen(function* () {
      const { at, create, file, json, run } = yield* project
      // without the harness's actor in the environment
      const plain = (...words: ReadonlyArray<string>) => bd(at, words, { env: { BD_ACTOR: "" } })
      const id = yield* create("A")
      yield* run("config", "set", "actor", "conny")
      yield* plain("comment", id, "of the file")
      yield* run("comment", id, "of the environment")
      yield* run("comment", id, "of the flag", "--actor", "flo")
      expect((yield* json("comments", id)).map(({ author }: { author: string }) => author)).toEqual([
        "conny",
        "ann",
        "flo"
      ])
      yield* run("config", "set", "json", "true")
      expect(JSON.parse((yield* run("list")).stdout)).toHaveLength(1)
      expect((yield* run("list", "--json=false")).stdout).toContain("- A")
      expect((yield* bd(at, ["list"], { env: { BD_JSON: "0" } })).stdout).toContain("- A")
      yield* run("config", "set", "no-auto-flush", "true")
      const before = readFileSync(file, "utf8")
      yield* run("note", id, "kept back")
      expect(readFileSync(file, "utf8")).toBe(before)
      yield* run("note", id, "published", "--no-auto-flush=false")
      expect(readFileSync(file, "utf8")).toContain("kept back\\npublished")
    })
  )

  it.scopedLive("a setting in config.yaml that makes no sense is told and passed over; config can mend it", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      yield* create("A")
      yield* run("config", "set", "lock-timeout", "soon")
      const warning = 'config.yaml: lock-timeout is "soon", expected a time such as 500ms, 5s or 1m'
      expect(yield* run("list")).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(warning) })
      expect(yield* run("config", "set", "lock-timeout", "5s")).toMatchObject({ exitCode: 0 })
      expect(yield* run("list")).toMatchObject({ exitCode: 0, stderr: "" })
    })
  )

  it.scopedLive("help and version are given whatever the environment says", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const env = { BD_LOCK_TIMEOUT: "xx", BD_JSON: "perhaps" }
      expect(yield* bd(at, ["--version"], { env })).toMatchObject({ exitCode: 0, stderr: "" })
      expect(yield* bd(at, ["create", "--help"], { env })).toMatchObject({ exitCode: 0, stderr: "" })
      expect(yield* bd(at, ["create", "x"], { env })).toMatchObject({ exitCode: 4 })
    })
  )

  it.scopedLive("a switch in the environment that says neither on nor off is exit 4, as the flag's would be", () =>
    Effect.gen(function* () {
      const { file, runWith } = yield* project
      expect(yield* runWith({ env: { BD_NO_AUTO_FLUSH: "maybe" } }, "create", "x")).toEqual({
        exitCode: 4,
        stdout: "",
        stderr: 'Error: invalid value "maybe" for BD_NO_AUTO_FLUSH: expected true or false\n'
      })
      expect(existsSync(file)).toBe(false)
      expect(yield* runWith({ env: { BD_NO_AUTO_FLUSH: "0" } }, "create", "x")).toMatchObject({ exitCode: 0 })
      expect(existsSync(file)).toBe(true)
    })
  )

  it.scopedLive("messages name what they are about", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      const id = yield* create("A")
      yield* run("close", id, "-r", "one")
      // closed already: the reason stays, and is the one told
      expect((yield* run("close", id, "-r", "two")).stdout).toBe(`✓ Closed ${id}: one\n`)
      expect((yield* run("daemon")).stderr).toBe("Error: bd daemon is not there yet; nothing was done\n")
      expect(yield* run("merge", "out", "base", "left", "right")).toMatchObject({
        exitCode: 2,
        stderr: "Error: left: no such file\n"
      })
      expect((yield* run("help", "merge")).stdout).not.toContain("Flags:")
    })
  )

  it.scopedLive("--readonly refuses a change with exit 2", () =>
    Effect.gen(function* () {
      const { file, run } = yield* project
      expect(yield* run("create", "x", "--readonly")).toMatchObject({ exitCode: 2 })
      expect(existsSync(file)).toBe(false)
    })
  )

  it.scopedLive("G32: delete shows first, spells out no command, and needs --force", () =>
    Effect.gen(function* () {
      const { create, json, lines, run } = yield* project
      const id = yield* create("Old")
      const shown = yield* run("delete", id)
      expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${id}: Old`) })
      expect(shown.stdout).not.toMatch(/bd delete|--force/)
      expect(yield* json("delete", id)).toMatchObject({ dry_run: true, deleted: [id] })
      expect((yield* run("list")).stdout).toContain(id)
      expect(yield* json("delete", id, "--force")).toEqual({
        deleted: id,
        dependencies_removed: 0,
        references_updated: 0
      })
      expect((yield* run("list")).stdout).toBe("")
      expect(lines()).toContain('"status":"tombstone"')
      expect(yield* run("undelete", id)).toMatchObject({ exitCode: 0 })
      expect((yield* run("list")).stdout).toContain(id)
    })
  )

  it.scopedLive("texts come from stdin by -, and from files", () =>
    Effect.gen(function* () {
      const { at, create, json, run, runWith } = yield* project
      const id = yield* create("First")
      writeFileSync(path.join(at, "design.txt"), "from\nfile\n")
      yield* runWith(
        { stdin: "from stdin\n\n" },
        "update",
        id,
        "--notes",
        "-",
        "--design-file",
        path.join(at, "design.txt")
      )
      expect((yield* json("show", id))[0]).toMatchObject({ notes: "from stdin\n", design: "from\nfile" })
      expect(yield* run("update", id, "--notes-file", "missing.txt")).toMatchObject({ exitCode: 1 })
      expect(yield* runWith({ stdin: new Uint8Array([0xff, 0xfe]) }, "comment", id, "-")).toMatchObject({ exitCode: 1 })
      expect(yield* runWith({ stdin: "said" }, "comment", id, "-")).toMatchObject({ exitCode: 0 })
      expect(yield* json("comments", id)).toMatchObject([{ author: "ann", text: "said" }])
    })
  )

  it.scopedLive("issues are created from a Markdown file", () =>
    Effect.gen(function* () {
      const { at, json } = yield* project
      const file = path.join(at, "plan.md")
      writeFileSync(
        file,
        "# Plan\n\n## One\n\nFirst\n\nSecond\n### Priority\nP1\n### Labels\na, b\n## Two\n### Type\nbug\n"
      )
      expect(yield* json("create", "-f", file)).toMatchObject([
        { title: "One", description: "First\n\nSecond", priority: 1, labels: ["a", "b"] },
        { title: "Two", issue_type: "bug", description: "" }
      ])
    })
  )
})

describe("answers", () => {
  it.scopedLive("--json: one document on stdout, for success and failure; description always, [] never null", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      expect(yield* json("list")).toEqual([])
      expect(yield* json("ready")).toEqual([])
      const id = yield* create("First")
      expect(yield* json("comments", id)).toEqual([])
      expect(yield* json("label", "list", id)).toEqual([])
      expect((yield* json("list"))[0]).toMatchObject({ description: "", dependency_count: 0, dependent_count: 0 })
      for (const words of [["show", "nope"], ["frobnicate"], ["list", "--bogus"], ["create"], ["update", id, "-p9"]]) {
        const { exitCode, stderr, stdout } = yield* run(...words, "--json")
        expect(exitCode).toBeGreaterThan(0)
        const { error } = JSON.parse(stdout)
        expect(error).toMatchObject({ code: expect.any(String), message: expect.any(String) })
        expect(stderr).toContain(error.message)
      }
    })
  )

  it.scopedLive("list and show have the classic's lines", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      const a = yield* create("First <x> & y", "-p0", "-t", "bug", "-a", "bob", "-l", "ui,Back")
      const b = yield* create("Second", "--blocked-by", a)
      expect((yield* run("list")).stdout).toBe(
        `${a} [P0] [bug] open @bob [Back ui] - First <x> & y\n${b} [P2] [task] open - Second\n`
      )
      const shown = (yield* run("show", a)).stdout
      expect(shown).toContain(`\n${a}: First <x> & y\nStatus: open\nPriority: P0\nType: bug\nAssignee: bob\n`)
      expect(shown).toContain(`\nBlocks (1):\n  ← ${b}: Second [P2]\n`)
      expect((yield* run("show", b)).stdout).toContain(`\nDepends on (1):\n  → ${a}: First <x> & y [P0]\n`)
      expect((yield* run("ready")).stdout).toBe(
        `\n📋 Ready work (1 issue with no blockers):\n\n1. [P0] ${a}: First <x> & y\n   Assignee: bob\n`
      )
    })
  )

  it.scopedLive("a limit that cut something off is told on stderr, and in the envelope", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      yield* create("First")
      yield* create("Second")
      expect((yield* run("list", "--limit", "1")).stderr).toBe("Showing 1 of 2; --limit 0 shows all\n")
      expect(yield* json("list", "-n1", "--json-envelope")).toMatchObject({ total: 2, truncated: true, issues: [{}] })
      expect((yield* run("list", "--limit", "2")).stderr).toBe("")
    })
  )

  it.scopedLive("G33: control characters reach a terminal visible, not live; line ends cannot forge lines", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      const id = yield* create("--title=a\u001b[2J\nb\u202e", "-d", "c\u0007\nd\u009b")
      for (const words of [["list"], ["show", id], ["ready"], ["list", "--long"], ["show", id, "--json"]]) {
        const { stdout } = yield* run(...words)
        expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
      }
      expect((yield* run("list")).stdout).toBe(`${id} [P2] [task] open - a\\x1b[2J\\nb\\u202e\n`)
      const [{ description, title }] = JSON.parse((yield* run("show", id, "--json")).stdout)
      expect([title, description]).toEqual(["a\u001b[2J\nb\u202e", "c\u0007\nd\u009b"])
    })
  )

  it.scopedLive("--quiet keeps confirmations back, never answers", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      expect(yield* run("create", "x", "-q")).toEqual({ exitCode: 0, stdout: "", stderr: "" })
      expect((yield* run("list", "-q")).stdout).toContain("x")
      expect(yield* json("create", "y", "-q")).toMatchObject({ title: "y" })
      yield* create("z")
    })
  )

  it.effect("the first line of the version is what front ends match", () =>
    Effect.gen(function* () {
      for (const words of [["version"], ["--version"], ["-v"]]) {
        const { exitCode, stdout } = yield* bd("/", words)
        expect(exitCode).toBe(0)
        expect(stdout).toMatch(/^bd version 1\.0\.5 \(effect-beads \d+\.\d+\.\d+\)\n$/)
      }
      const { stdout } = yield* bd("/", ["version", "--json"])
      expect(Object.keys(JSON.parse(stdout))).toEqual(["version", "build", "commit", "branch", "effect_beads"])
    })
  )
})

describe("import, export, merge", () => {
  it.scopedLive("G21: importing one's own export changes nothing", () =>
    Effect.gen(function* () {
      const { at, create, json, lines, run } = yield* project
      yield* create("First")
      const before = lines()
      const copy = path.join(at, "copy.jsonl")
      expect(yield* json("export", "-o", copy)).toMatchObject({ exported: 1 })
      expect(readFileSync(copy, "utf8")).toBe(before)
      expect((yield* run("export")).stdout).toBe(before)
      expect(yield* json("import", "-i", copy)).toMatchObject({ created: 0, updated: 0, unchanged: 1 })
      expect(lines()).toBe(before)
    })
  )

  it.scopedLive("G16: an export onto the issue file is a publish, which reconciles first", () =>
    Effect.gen(function* () {
      const { create, file, lines, run } = yield* project
      yield* create("First")
      const pulled = `${lines()}{"id":"zz-1","title":"Pulled","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}\n`
      writeFileSync(file, pulled)
      expect(yield* run("export", "-o", file)).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(pulled)
    })
  )

  it.scopedLive("G17: merge reads three files, writes one, and touches nothing when one cannot be read", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const at_ = (name: string) => path.join(at, name)
      const line = (title: string, priority: number, day: number) =>
        `{"id":"a-1","title":"${title}","status":"open","priority":${priority},"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-0${day}T00:00:00Z"}\n`
      writeFileSync(at_("base"), line("x", 2, 1))
      writeFileSync(at_("left"), line("y", 2, 2))
      writeFileSync(at_("right"), line("x", 0, 3))
      const merge = (base: string, right: string) => bd(at, ["merge", at_("left"), at_(base), at_("left"), at_(right)])
      writeFileSync(at_("broken"), `${line("x", 0, 3)}<<<<<<< HEAD\n`)
      expect(yield* merge("base", "broken")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("line 2") })
      expect(yield* merge("base", "missing")).toMatchObject({ exitCode: 2 })
      expect(readFileSync(at_("left"), "utf8")).toBe(line("y", 2, 2))
      expect(yield* merge("base", "right")).toEqual({ exitCode: 0, stdout: "", stderr: "" })
      expect(readFileSync(at_("left"), "utf8")).toBe(line("y", 0, 3))
      // without an ancestor the later version wins
      writeFileSync(at_("left"), line("y", 2, 2))
      expect(yield* merge("none", "right")).toMatchObject({ exitCode: 0 })
      expect(readFileSync(at_("left"), "utf8")).toBe(line("x", 0, 3))
    })
  )
})

describe("the merge driver", () => {
  const line = (id: string, title: string, day: number) =>
    `{"id":"${id}","title":"${title}","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-0${day}T00:00:00Z"}`
  const base = `${line("a-1", "x", 1)}\n${line("a-2", "x", 1)}\n`

  /** Runs it as git does, OUT being LEFT; tells how it ended, what OUT holds then and what lies beside it. */
  const drive = (files: { readonly base: string; readonly left: string; readonly right: string }) =>
    Effect.gen(function* () {
      const at = yield* directory
      const names = Object.keys(files)
      for (const [name, text] of Object.entries(files)) writeFileSync(path.join(at, name), text)
      const words = ["left", "base", "left", "right"].map(name => path.join(at, name))
      const { exitCode, stderr } = yield* bd(at, ["merge", ...words])
      expect(readdirSync(at).filter(name => !names.includes(name))).toEqual([])
      return { exitCode, stderr, out: readFileSync(path.join(at, "left"), "utf8") }
    })

  it.scopedLive("G22: a last line without terminator, and CRLF on either side, change nothing else", () =>
    Effect.gen(function* () {
      const [edited, other] = [line("a-1", "left", 2), line("a-2", "right", 3)]
      const right = `${line("a-1", "x", 1)}\n${other}`
      const bare = yield* drive({ base, left: `${edited}\n${line("a-2", "x", 1)}`, right })
      expect(bare).toEqual({ exitCode: 0, stderr: "", out: `${edited}\n${other}` })
      const crlf = (text: string) => text.replaceAll("\n", "\r\n")
      const windows = yield* drive({ base, left: crlf(`${edited}\n${line("a-2", "x", 1)}\n`), right })
      expect(windows).toEqual({ exitCode: 0, stderr: "", out: crlf(`${edited}\n${other}\n`) })
      const theirs = yield* drive({ base, left: `${edited}\n${line("a-2", "x", 1)}\n`, right: crlf(`${right}\n`) })
      expect(theirs).toEqual({ exitCode: 0, stderr: "", out: `${edited}\n${other}\n` })
    })
  )

  it.scopedLive(
    "G17: a line that cannot be read, on any side: exit 2 with its place, and OUT stays as git gave it",
    () =>
      Effect.gen(function* () {
        const left = `${line("a-1", "left", 2)}\n${line("a-2", "x", 1)}\n`
        const right = `${line("a-1", "x", 1)}\n${line("a-2", "right", 3)}\n`
        for (const broken of ["<<<<<<< HEAD", "=======", "{", "[]", '{"id":""}', '{"id":"a","id":"b"}', "\ufeff{}"]) {
          for (const side of ["base", "left", "right"] as const) {
            const files = { base, left, right }
            const ended = yield* drive({ ...files, [side]: `${files[side]}${broken}\n` })
            expect(ended.exitCode).toBe(2)
            expect(ended.stderr).toMatch(new RegExp(`${side}.*line 3`))
            expect(ended.out).toBe(side === "left" ? `${left}${broken}\n` : left)
          }
        }
      })
  )

  it.scopedLive("G19: an empty side loses nothing; two lines of an id become one", () =>
    Effect.gen(function* () {
      expect(yield* drive({ base, left: "", right: base })).toEqual({ exitCode: 0, stderr: "", out: base })
      expect(yield* drive({ base, left: base, right: "" })).toEqual({ exitCode: 0, stderr: "", out: base })
      const doubled = `${line("a-1", "one", 2)}\n${line("a-1", "two", 3)}\n`
      const ended = yield* drive({ base, left: doubled, right: base })
      expect(ended).toEqual({
        exitCode: 0,
        stderr: "",
        out: `${line("a-1", "two", 3)}\n${line("a-2", "x", 1)}\n`
      })
    })
  )
})

describe("the place", () => {
  it.scopedLive("without .beads: exit 1 with a hint", () =>
    Effect.gen(function* () {
      const at = yield* directory
      expect(yield* bd(at, ["list"])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("bd init") })
    })
  )

  it.scopedLive(
    "init can be repeated and keeps what is there; without a prefix the directory's name or the issues' is taken",
    () =>
      Effect.gen(function* () {
        const at = yield* directory
        const home = path.join(at, "my-app")
        mkdirSync(path.join(home, ".beads"), { recursive: true })
        const line = `{"id":"old-1","title":"x","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}\n`
        writeFileSync(path.join(home, ".beads/beads.jsonl"), line)
        for (const _ of [1, 2]) {
          const { stdout } = yield* bd(home, ["init", "--json"])
          expect(JSON.parse(stdout)).toMatchObject({
            prefix: "old",
            issues: 1,
            issue_file: path.join(home, ".beads/beads.jsonl")
          })
        }
        expect(readFileSync(path.join(home, ".beads/beads.jsonl"), "utf8")).toBe(line)
        expect(readFileSync(path.join(home, ".beads/metadata.json"), "utf8")).toBe(
          '{"database":"beads.db","jsonl_export":"beads.jsonl"}\n'
        )
        const fresh = path.join(at, "fresh")
        mkdirSync(fresh)
        expect(JSON.parse((yield* bd(fresh, ["init", "--json"])).stdout)).toMatchObject({ prefix: "fresh" })
        expect(yield* bd(fresh, ["init", "--prefix", "a b"])).toMatchObject({ exitCode: 4 })
        const hooks = path.join(at, "hooks")
        mkdirSync(hooks)
        expect(yield* bd(hooks, ["init", "--hooks"])).toMatchObject({ exitCode: 1 })
        expect(existsSync(path.join(hooks, ".beads"))).toBe(false)
      })
  )

  it.scopedLive("two issue files that hold lines are refused with exit 8", () =>
    Effect.gen(function* () {
      const { at, create, run } = yield* project
      yield* create("First")
      writeFileSync(path.join(at, ".beads/beads.jsonl"), "{}\n")
      expect(yield* run("list")).toMatchObject({
        exitCode: 8,
        stderr: expect.stringContaining("issues.jsonl and beads.jsonl")
      })
      writeFileSync(path.join(at, ".beads/beads.jsonl"), "\n")
      expect(yield* run("list")).toMatchObject({ exitCode: 0 })
    })
  )
})

describe("files that the user names", () => {
  it.scopedLive("G33: a device or a directory is not read, and an input that cannot be read is named", () =>
    Effect.gen(function* () {
      const { create, lines, run } = yield* project
      yield* create("First")
      const before = lines()
      for (const words of [
        ["import", "-i", "/dev/null"],
        ["create", "x", "--description-file", "/dev/null"],
        ["import", "-i", "/"]
      ]) {
        const { exitCode, stderr } = yield* run(...words)
        expect([exitCode, stderr]).toEqual([
          1,
          expect.stringMatching(/^Error: (\/dev\/null|\/): it is a (device|directory)/)
        ])
      }
      expect(yield* run("import", "-i", "/etc/passwd")).toMatchObject({
        exitCode: 8,
        stderr: expect.stringContaining("/etc/passwd, line 1")
      })
      expect(lines()).toBe(before)
    })
  )

  it.scopedLive("G30, G33: an export does not write over what lies in .beads", () =>
    Effect.gen(function* () {
      const { at, create, lines, run } = yield* project
      yield* create("First")
      const config = readFileSync(path.join(at, ".beads/config.yaml"), "utf8")
      for (const target of [".beads/config.yaml", ".beads/other.jsonl"]) {
        expect(yield* run("export", "-o", path.join(at, target))).toMatchObject({ exitCode: 2 })
      }
      expect(readFileSync(path.join(at, ".beads/config.yaml"), "utf8")).toBe(config)
      expect(existsSync(path.join(at, ".beads/other.jsonl"))).toBe(false)
      expect(yield* run("export", "-o", path.join(at, "copy.jsonl"))).toMatchObject({ exitCode: 0 })
      expect(readFileSync(path.join(at, "copy.jsonl"), "utf8")).toBe(lines())
    })
  )
})
