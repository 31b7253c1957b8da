/** What a new user stumbled over. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { FileUnusable } from "../../src/cli/CliError.ts"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import { IssueFileFailure } from "../../src/issue-file/IssueFile.ts"
import { LockUnavailable } from "../../src/issue-file/IssueLock.ts"
import { StoreError } from "../../src/store/IssueStore.ts"
import { bd, directory, project } from "./harness.ts"

describe("what was mistyped", () => {
  it.scopedLive("a subcommand has its nearest match, also where the command takes words itself", () =>
    Effect.gen(function* () {
      const { run } = yield* project
      for (const [typed, meant] of [
        ["dep lst", "dep list"],
        ["dep tre", "dep tree"],
        ["label ad", "label add"],
        ["flush staus", "flush status"]
      ] as const) {
        expect(yield* run(...typed.split(" "))).toEqual({
          exitCode: 2,
          stdout: "",
          stderr: `Error: unknown command "${typed}"\nHint: did you mean "${meant}"?\n`
        })
      }
      expect(yield* run("dep", "app-a3f8")).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("--blocked-by is missing")
      })
    })
  )

  it.scopedLive("the version and help come whatever the environment says; a command tells what is wrong", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const env = { BD_LOCK_TIMEOUT: "xx" }
      expect(yield* bd(at, ["--version"], { env })).toMatchObject({ exitCode: 0, stderr: "" })
      expect(yield* bd(at, ["list", "--help"], { env })).toMatchObject({ exitCode: 0, stderr: "" })
      expect(yield* bd(at, ["list"], { env })).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining("BD_LOCK_TIMEOUT")
      })
    })
  )

  it.scopedLive(
    "G18: white space round a text is kept; a title of nothing else is refused, when created and when changed",
    () =>
      Effect.gen(function* () {
        const { create, lines, run } = yield* project
        const id = yield* create("Good")
        const before = lines()
        for (const title of ["", "   ", "\t\n", "\u00a0\u2003"]) {
          expect(yield* run("create", title)).toMatchObject({
            exitCode: 4,
            stderr: expect.stringContaining("invalid title")
          })
          expect(yield* run("q", title)).toMatchObject({ exitCode: 4 })
          expect(yield* run("update", id, "--title", title)).toMatchObject({ exitCode: 4 })
        }
        expect(lines()).toBe(before)
        yield* run("update", id, "--title", " kept as it is ")
        yield* run("update", id, "--description", "two lines\n\n", "--notes= n ")
        expect(JSON.parse(lines())).toMatchObject({
          title: " kept as it is ",
          description: "two lines\n\n",
          notes: " n "
        })
      })
  )
})

describe("labels", () => {
  it.scopedLive("commas part them, as everywhere; a label that has one itself can be removed", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, run } = yield* project
      const [a, b] = [yield* create("A"), yield* create("B")]
      expect(yield* json("label", "add", a, b, "x, y,x")).toEqual([
        { issue_id: a, label: "x", status: "added" },
        { issue_id: a, label: "y", status: "added" },
        { issue_id: b, label: "x", status: "added" },
        { issue_id: b, label: "y", status: "added" }
      ])
      expect(yield* json("label", "list", a)).toEqual(["x", "y"])
      expect((yield* run("label", "add", a, " , ")).exitCode).toBe(4)
      expect((yield* run("label", "add", "nope", "x,y")).stderr.match(/Error/g)).toHaveLength(1)
      writeFileSync(file, lines().replaceAll('"labels":["x","y"]', '"labels":["x","x,y","y"]'))
      expect(yield* json("label", "remove", a, "x,y")).toEqual([{ issue_id: a, label: "x,y", status: "removed" }])
      expect(yield* json("label", "list", a)).toEqual(["x", "y"])
      yield* run("label", "remove", a, "x,y")
      expect(yield* json("label", "list", a)).toEqual([])
    })
  )
})

describe("files", () => {
  it.scopedLive("export -o tells what it wrote on stderr, also when it is the issue file itself", () =>
    Effect.gen(function* () {
      const { at, create, file, run } = yield* project
      yield* create("One")
      const other = path.join(at, "copy.jsonl")
      for (const output of [other, file]) {
        expect(yield* run("export", "-o", output)).toEqual({
          exitCode: 0,
          stdout: "",
          stderr: `Exported 1 issue to ${output}\n`
        })
        expect((yield* run("export", "-o", output, "--quiet")).stderr).toBe("")
      }
      expect(readFileSync(other, "utf8")).toBe(readFileSync(file, "utf8"))
    })
  )

  it.scopedLive("G17: a file to import that cannot be read is named, and not taken for the issue file", () =>
    Effect.gen(function* () {
      const { at, create, lines, run } = yield* project
      yield* create("One")
      const before = lines()
      const other = path.join(at, "other.jsonl")
      writeFileSync(other, `${before.replace(/"id":"[^"]*"/, '"id":"app-x"')}not json\n`)
      const { exitCode, stderr } = yield* run("import", "-i", other)
      expect(exitCode).toBe(8)
      expect(stderr).toContain(`${other}, line 2: it is not valid JSON`)
      expect(stderr).toContain("Nothing was imported")
      expect(stderr).not.toContain("changes stay in the store")
      expect(lines()).toBe(before)
    })
  )

  it.scopedLive("undelete takes a part of an id, and doing it again is success", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const id = yield* create("One")
      const part = id.slice("app-".length, -1)
      yield* run("delete", id, "--force")
      for (const named of [part, part, id]) {
        expect(yield* run("undelete", named)).toMatchObject({ exitCode: 0, stdout: `↻ Undeleted ${id}\n` })
      }
      expect(yield* json("list")).toMatchObject([{ id }])
      expect((yield* run("undelete", "nope")).exitCode).toBe(3)
    })
  )

  it("G29: where a file cannot be written, the hint says what to do", () => {
    const place = "/p/.beads/issues.jsonl"
    const cause = new Error("")
    const hint = (error: ExitCode.CommandError) => ExitCode.verdict(error).hint ?? ""
    const failure = (code: string) => new IssueFileFailure({ path: place, operation: "open", code, cause })
    expect(hint(failure("EACCES"))).toContain("owner and mode")
    expect(hint(failure("EROFS"))).toContain("read-only")
    expect(hint(failure("ENOSPC"))).toContain("no space left")
    expect(hint(failure("EIO"))).toBe("")
    expect(hint(new LockUnavailable({ path: place, reason: `access failed (EROFS) on ${place}` }))).toContain(
      "read-only"
    )
    expect(hint(new StoreError({ path: place, reason: "readonly", detail: "" }))).toContain("owner and mode")
    expect(hint(new FileUnusable({ path: place, detail: "it cannot be written", cause: "EACCES: x" }))).toContain(
      "owner and mode"
    )
  })
})

describe("small defects of before", () => {
  it.scopedLive("init --merge-driver outside of a repository leaves nothing behind", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const ran = yield* bd(at, ["init", "--merge-driver"])
      expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("needs a git repository") })
      expect(readdirSync(at)).toEqual([])
    })
  )

  it.scopedLive(
    "a setting that makes no sense keeps back no version, guide or completion, but what it is a setting of",
    () =>
      Effect.gen(function* () {
        const { runWith } = yield* project
        const env = { BD_LOCK_TIMEOUT: "xx" }
        for (const words of [
          ["version"],
          ["--version"],
          ["help"],
          ["quickstart"],
          ["onboard"],
          ["completion", "bash"]
        ]) {
          expect(yield* runWith({ env }, ...words)).toMatchObject({ exitCode: 0, stderr: "" })
        }
        expect(yield* runWith({ env }, "list")).toMatchObject({ exitCode: 4 })
      })
  )

  it.scopedLive("import counts an issue once, whatever tombstones come with it", () =>
    Effect.gen(function* () {
      const { at, run } = yield* project
      const line = (id: string, more: object) =>
        `${JSON.stringify({ id, title: id, status: "open", priority: 2, issue_type: "task", created_at: "2025-01-01T10:00:00Z", updated_at: "2025-01-01T10:00:00Z", ...more })}\n`
      const gone = line("web-a", { status: "tombstone", deleted_at: "2025-01-02T10:00:00Z" })
      const importing = (text: string, ...flags: ReadonlyArray<string>) => {
        writeFileSync(path.join(at, "in.jsonl"), text)
        return Effect.map(
          run("import", "-i", path.join(at, "in.jsonl"), ...flags),
          ({ stderr }) => stderr.split("\n")[0]
        )
      }
      const first = gone + line("web-b", {})
      const came = "1 created, 1 deletion, 0 updated, 0 unchanged"
      expect(yield* importing(first, "--rename-on-import", "--dry-run")).toBe(`Would import: ${came}`)
      expect(yield* importing(first, "--rename-on-import")).toBe(`Import complete: ${came}`)
      expect(yield* importing(first, "--rename-on-import")).toBe("Import complete: 0 created, 0 updated, 2 unchanged")
      const changed = gone + line("web-b", { title: "other", updated_at: "2025-02-01T10:00:00Z" })
      expect(yield* importing(changed, "--rename-on-import")).toBe("Import complete: 0 created, 1 updated, 1 unchanged")
    })
  )
})
