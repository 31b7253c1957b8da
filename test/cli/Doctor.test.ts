/** `doctor`: what it finds, that looking changes nothing, and what `--fix` does. */
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import { describe, expect, it, vi } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { networkName } from "../../src/cli/SurroundingsChecks.ts"
import type { Check } from "../../src/tracker/Check.ts"
import { bd, directory, project } from "./harness.ts"

/** Every file in a directory with its content and its time stamp. */
const contents = (at: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => path.join(entry.parentPath, entry.name))
      .sort()
      .map(file => [
        path.relative(at, file),
        `${statSync(file, { bigint: true }).mtimeNs} ${readFileSync(file).toString("base64")}`
      ])
  )

const later = ({ updated_at }: { readonly updated_at: string }) => new Date(Date.parse(updated_at) + 1000).toISOString()

const git = (at: string, ...words: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=ann", "-c", "user.email=a@b", ...words], { cwd: at, encoding: "utf8" })

/** A project with one issue, and what `doctor` says there. */
const patient = Effect.gen(function* () {
  const at = yield* project
  const id = yield* at.create("First")
  const beads = path.join(at.at, ".beads")
  const doctor = (...words: ReadonlyArray<string>) =>
    Effect.map(at.run("doctor", "--json", ...words), ({ exitCode, stderr, stdout }) => {
      expect(stderr).toBe("")
      const document = JSON.parse(stdout)
      const checks: ReadonlyArray<Check> = document.checks
      return {
        exitCode,
        document,
        found: checks.filter(({ status }) => status !== "ok"),
        check: (name: string) => checks.find(check => check.name === name)
      }
    })
  return { ...at, id, beads, doctor }
})

describe("doctor", () => {
  it.scopedLive("finds nothing in a new project, and changes nothing by looking", () =>
    Effect.gen(function* () {
      const { at, doctor, run } = yield* patient
      const before = contents(at)
      const { document, exitCode, found } = yield* doctor()
      expect(found).toEqual([])
      expect(exitCode).toBe(0)
      expect(document).toMatchObject({ path: at, overall_ok: true, cli_version: "1.0.5" })
      expect(document.checks.map(({ name }: Check) => name)).toEqual([
        "Installation",
        "Metadata",
        "JSONL Files",
        "Permissions",
        "Database",
        "Schema Compatibility",
        "Database Files",
        "Issue File",
        "Issue IDs",
        "DB-JSONL Sync",
        "Unpublished Changes",
        "Leftovers",
        "Lock",
        "Dependencies",
        "Dependency Cycles",
        "Gitignore",
        "Git Tracking",
        "Classic Daemon",
        "File System"
      ])
      const text = yield* run("doctor")
      expect(text).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("✓ All checks passed") })
      expect((yield* doctor("--fix")).document.repairs).toEqual([])
      expect(contents(at)).toEqual(before)
    })
  )

  it.scopedLive("without a .beads it says so and exits 1; a path says where to look", () =>
    Effect.gen(function* () {
      const empty = yield* directory
      const { at } = yield* project
      const nowhere = yield* bd(empty, ["doctor", "--json"])
      expect(nowhere.exitCode).toBe(1)
      expect(JSON.parse(nowhere.stdout)).toMatchObject({
        path: empty,
        overall_ok: false,
        checks: [{ name: "Installation", status: "error", fix: expect.stringContaining("bd init") }]
      })
      const there = yield* bd(empty, ["doctor", at, "--json"], { env: { BEADS_DIR: "/nowhere" } })
      expect(JSON.parse(there.stdout)).toMatchObject({ path: at, overall_ok: true })
    })
  )

  it.scopedLive("G17: lines that cannot be read are told with number and reason, conflict markers are explained", () =>
    Effect.gen(function* () {
      const { at, beads, doctor, file, lines, run } = yield* patient
      writeFileSync(file, `<<<<<<< HEAD\n${lines()}=======\n{"id":7}\n>>>>>>> theirs\n`)
      const before = contents(at)
      const { check, exitCode } = yield* doctor()
      expect(exitCode).toBe(1)
      const found = check("Issue File")
      expect(found).toMatchObject({ status: "error", fix: expect.stringContaining("bd doctor --fix --quarantine") })
      expect(found?.message).toContain("4 lines cannot be read, 3 of them git conflict markers")
      for (const line of ["line 1, 3, 5: git conflict markers", 'line 4: its "id" is not a string']) {
        expect(found?.detail).toContain(line)
      }
      expect((yield* run("doctor")).stdout).toContain("✗ Error: Issue File: ")
      expect(contents(at)).toEqual(before)
      // --fix alone does not touch the file
      expect((yield* doctor("--fix")).document.repairs).toEqual([])
      expect(existsSync(path.join(beads, "quarantine"))).toBe(false)
    })
  )

  it.scopedLive("works where the store cannot be opened, and leaves it as it is", () =>
    Effect.gen(function* () {
      const { at, beads, doctor } = yield* patient
      const store = path.join(beads, "beads.db")
      writeFileSync(store, "this is no database, and longer than a header of SQLite would be: ".repeat(4))
      const before = contents(at)
      const { check, document, exitCode } = yield* doctor("--fix")
      expect(exitCode).toBe(1)
      expect(check("Database")).toMatchObject({ status: "error", message: expect.stringContaining("corrupt") })
      expect(document.repairs).toEqual([])
      expect(contents(at)).toEqual(before)

      const newer = new Database(path.join(at, "newer.db"))
      newer.pragma(`application_id = ${0x62656164}`)
      newer.pragma("user_version = 99")
      newer.close()
      writeFileSync(store, readFileSync(path.join(at, "newer.db")))
      expect((yield* doctor()).check("Database")).toMatchObject({ status: "error", fix: "Use the newer bd" })

      const classic = new Database(path.join(at, "classic.db"))
      for (const table of ["issues", "dependencies", "labels", "config"])
        classic.exec(`create table ${table} (id text)`)
      classic.close()
      writeFileSync(store, readFileSync(path.join(at, "classic.db")))
      const waiting = contents(beads)
      expect((yield* doctor()).check("Database")).toMatchObject({
        status: "warning",
        message: expect.stringContaining("classic")
      })
      expect(contents(beads)).toEqual(waiting)
    })
  )

  it.scopedLive("damage that nothing else would notice is found by SQLite's own check", () =>
    Effect.gen(function* () {
      const { beads, create, doctor } = yield* patient
      for (let i = 0; i < 5; i++) yield* create(`Issue ${i} ${"x".repeat(400)}`)
      const store = path.join(beads, "beads.db")
      const database = new Database(store)
      const index = database
        .prepare("select rootpage from sqlite_schema where name = 'issues_by_readiness'")
        .pluck()
        .get()
      const size = Number(database.pragma("page_size", { simple: true }))
      database.close()
      const bytes = readFileSync(store)
      const page = (Number(index) - 1) * size
      const entry = bytes.lastIndexOf("open", page + size)
      expect(entry).toBeGreaterThan(page)
      bytes.write("opex", entry)
      writeFileSync(store, bytes)
      const { check, exitCode } = yield* doctor()
      expect(check("Database")).toMatchObject({ status: "error", message: expect.stringContaining("damaged") })
      expect(check("Database")?.detail).toContain("missing from index issues_by_readiness")
      expect(exitCode).toBe(1)
    })
  )

  it.scopedLive("tells what is unpublished, and --fix publishes it, once", () =>
    Effect.gen(function* () {
      const { at, doctor, lines, run } = yield* patient
      yield* run("create", "Later", "--no-auto-flush")
      const { check, exitCode } = yield* doctor()
      expect(check("Unpublished Changes")).toMatchObject({ status: "warning", fix: "Run 'bd flush'" })
      expect(exitCode).toBe(0)
      const fixed = yield* doctor("--fix")
      expect(fixed.document.repairs).toEqual([{ name: "Unpublished Changes", done: true, message: "published 1 line" }])
      expect(fixed.found).toEqual([])
      expect(lines()).toContain('"title":"Later"')
      const after = contents(at)
      expect((yield* doctor("--fix")).document.repairs).toEqual([])
      expect(contents(at)).toEqual(after)
      expect((yield* run("doctor", "--fix", "--readonly")).exitCode).toBe(2)
    })
  )

  it.scopedLive(
    "finds dangling dependencies, cycles, two lines of one issue, and leaves the first two to a decision",
    () =>
      Effect.gen(function* () {
        const { doctor, file, id, lines } = yield* patient
        const issue = JSON.parse(lines())
        const link = (from: string, to: string) => ({ issue_id: from, depends_on_id: to, type: "blocks" })
        const text = [
          { ...issue, title: "Twice", updated_at: later(issue) },
          issue,
          { ...issue, id: "app-x", dependencies: [link("app-x", "app-y"), link("app-x", "app-gone")] },
          { ...issue, id: "app-y", dependencies: [link("app-y", "app-x"), link("app-y", "external:a:b")] }
        ].map(line => `${JSON.stringify(line)}\n`)
        writeFileSync(file, text.join(""))
        const { check, exitCode } = yield* doctor()
        expect(check("Issue IDs")).toMatchObject({ status: "warning", detail: expect.stringContaining(id) })
        expect(check("Dependencies")).toMatchObject({
          status: "warning",
          message: "1 dependency on issues that do not exist",
          detail: expect.stringContaining("app-x depends on app-gone")
        })
        expect(check("Dependency Cycles")).toMatchObject({
          status: "error",
          detail: expect.stringContaining("app-x → app-y → app-x")
        })
        expect(check("DB-JSONL Sync")).toMatchObject({
          status: "ok",
          detail: expect.stringContaining("2 issues of the file")
        })
        expect(exitCode).toBe(1)
        const fixed = yield* doctor("--fix")
        expect(fixed.found.map(({ name }) => name)).toEqual(["Dependencies", "Dependency Cycles"])
        expect(
          lines()
            .split("\n")
            .filter(line => line.includes(`{"id":"${id}"`))
        ).toHaveLength(1)
        expect(lines()).toContain("app-gone")
      })
  )

  it.scopedLive("tells two issue files and unreadable metadata, where every other command stops", () =>
    Effect.gen(function* () {
      const { at, beads, doctor, lines, run } = yield* patient
      writeFileSync(path.join(beads, "beads.jsonl"), lines())
      expect((yield* run("list")).exitCode).toBe(8)
      const two = yield* doctor("--fix")
      expect(two.exitCode).toBe(1)
      expect(two.check("JSONL Files")).toMatchObject({
        status: "error",
        message: expect.stringContaining("both hold issues")
      })
      expect(two.document.repairs).toEqual([])
      rmSync(path.join(beads, "beads.jsonl"))

      writeFileSync(path.join(beads, "metadata.json"), "{oh dear")
      const before = contents(at)
      expect((yield* doctor()).check("Metadata")).toMatchObject({ status: "error" })
      expect(contents(at)).toEqual(before)
      const fixed = yield* doctor("--fix")
      expect(fixed.exitCode).toBe(0)
      expect(JSON.parse(readFileSync(path.join(beads, "metadata.json"), "utf8"))).toEqual({
        database: "beads.db",
        jsonl_export: "issues.jsonl"
      })
      const [backup = ""] = readdirSync(path.join(beads, "quarantine"))
      expect(backup).toMatch(/^metadata\.json\.[0-9a-f]{12}\.backup$/)
      expect(readFileSync(path.join(beads, "quarantine", backup), "utf8")).toBe("{oh dear")
      expect((yield* run("list")).exitCode).toBe(0)
    })
  )

  it.scopedLive("G30 G33: what is a link is neither written through nor copied into a file that git carries", () =>
    Effect.gen(function* () {
      const { at, beads, doctor, run } = yield* patient
      const elsewhere = yield* directory
      const secret = path.join(elsewhere, "secret")
      writeFileSync(secret, "secret")
      symlinkSync(elsewhere, path.join(beads, "quarantine"))
      writeFileSync(path.join(beads, "metadata.json"), "{oh dear")
      const first = yield* doctor("--fix")
      expect(first.document.repairs).toMatchObject([{ name: "Metadata", done: false }])
      expect(readdirSync(elsewhere)).toEqual(["secret"])
      rmSync(path.join(beads, "quarantine"))
      rmSync(path.join(beads, "metadata.json"))

      for (const name of [".gitignore", "config.yaml"]) {
        rmSync(path.join(beads, name))
        symlinkSync(secret, path.join(beads, name))
      }
      symlinkSync(secret, path.join(at, ".gitattributes"))
      git(at, "init", "-q")
      const second = yield* doctor("--fix")
      expect(second.document.repairs).toMatchObject([{ name: "Gitignore", done: false }])
      expect((yield* run("config", "set", "actor", "bea")).exitCode).toBe(1)
      expect((yield* run("init", "--merge-driver")).exitCode).toBe(1)
      for (const file of [".beads/.gitignore", ".beads/config.yaml", ".gitattributes"]) {
        expect(lstatSync(path.join(at, file)).isSymbolicLink()).toBe(true)
      }
      expect(readFileSync(secret, "utf8")).toBe("secret")
    })
  )

  it.scopedLive(
    "G33: a directory, or a link to a device without end, in the place of a file is told and not read",
    () =>
      Effect.gen(function* () {
        const { beads, doctor } = yield* patient
        rmSync(path.join(beads, ".gitignore"))
        mkdirSync(path.join(beads, ".gitignore"))
        expect((yield* doctor()).check("Gitignore")).toMatchObject({
          status: "warning",
          message: expect.stringContaining("not a regular file")
        })
        for (const [name, check] of [
          ["config.yaml", undefined],
          ["metadata.json", "Metadata"],
          ["issues.jsonl", "Issue File"]
        ] as const) {
          rmSync(path.join(beads, name))
          symlinkSync("/dev/zero", path.join(beads, name))
          const found = yield* doctor()
          if (check !== undefined) {
            expect(found.check(check)).toMatchObject({ status: "error", message: expect.stringContaining(name) })
          }
        }
      })
  )

  it.scopedLive(
    "G19: an issue whose line was moved to the quarantine is in the file again when doctor is through",
    () =>
      Effect.gen(function* () {
        const { doctor, file, lines } = yield* patient
        const before = lines()
        writeFileSync(file, `\ufeff${before}`)
        const { document, exitCode } = yield* doctor("--fix", "--quarantine")
        expect(document.repairs).toMatchObject([
          { name: "Issue File", done: true },
          { name: "Unpublished Changes", done: true }
        ])
        expect(exitCode).toBe(0)
        expect(lines()).toBe(before)
      })
  )

  it.scopedLive("tells leftovers of killed processes and other files, and removes only the first", () =>
    Effect.gen(function* () {
      const { beads, doctor } = yield* patient
      // a number that no process has: the kernel's greatest is 4194304
      const dead = path.join(beads, ".issues.jsonl.4999999.ab12.tmp")
      const own = path.join(beads, `.config.yaml.${process.pid}.tmp`)
      const kept = path.join(beads, ".issues.jsonl.0123456789ab.aside")
      const other = path.join(beads, "beads.base.jsonl")
      for (const file of [dead, own, kept, other]) writeFileSync(file, "x")
      const { check, found } = yield* doctor()
      expect(found.map(({ name }) => name)).toEqual(["Database Files", "Leftovers", "Leftovers"])
      expect(check("Database Files")?.message).toContain("beads.base.jsonl")
      expect(check("Leftovers")?.detail).toBe(".issues.jsonl.4999999.ab12.tmp")
      const fixed = yield* doctor("--fix")
      expect(fixed.document.repairs[0]).toEqual({ name: "Leftovers", done: true, message: "removed 1 temporary files" })
      expect([dead, own, kept, other].map(file => existsSync(file))).toEqual([false, true, true, true])
    })
  )

  it.scopedLive("G13: tells that the lock is held, and by whom; waits for nothing", () =>
    Effect.gen(function* () {
      const { beads, doctor } = yield* patient
      const lock = new Database(path.join(beads, "issues.jsonl.lock"))
      lock.exec("begin exclusive")
      const held = yield* doctor()
      lock.exec("rollback")
      lock.close()
      expect(held.check("Lock")).toMatchObject({
        status: "warning",
        detail: expect.stringMatching(
          process.platform === "linux" ? new RegExp(`^process ${process.pid}, running for \\d+ s: .*node`) : /./
        )
      })
      expect((yield* doctor()).check("Lock")).toMatchObject({ status: "ok" })
    })
  )

  it.scopedLive("G16: git at work is no defect, and is told", () =>
    Effect.gen(function* () {
      const { at, doctor } = yield* patient
      git(at, "init", "-q")
      writeFileSync(path.join(at, ".git/index.lock"), "")
      const { check, document, exitCode } = yield* doctor("--fix", "--quarantine")
      expect(check("Issue File")).toMatchObject({ status: "warning", message: expect.stringContaining("index.lock") })
      expect(document.repairs).toEqual([])
      expect(exitCode).toBe(0)
      rmSync(path.join(at, ".git/index.lock"))
      expect((yield* doctor()).check("Issue File")).toMatchObject({ status: "ok" })
    })
  )

  it.scopedLive("git: ignored issue file, committed store, a driver that is missing or the classic's", () =>
    Effect.gen(function* () {
      const { at, beads, doctor, run } = yield* patient
      git(at, "init", "-q")
      expect((yield* doctor()).check("Git Tracking")).toMatchObject({
        status: "ok",
        message: "issues.jsonl is not in git yet: git add it to share the issues"
      })
      expect((yield* doctor()).check("Merge Driver")).toMatchObject({
        status: "ok",
        fix: "Run 'bd init --merge-driver'"
      })
      writeFileSync(path.join(at, ".gitignore"), "*.jsonl\n")
      writeFileSync(path.join(beads, ".gitignore"), "*.db-wal\n")
      const ignored = yield* doctor()
      expect(ignored.exitCode).toBe(1)
      expect(ignored.check("Git Tracking")).toMatchObject({
        status: "error",
        message: "git ignores issues.jsonl: .gitignore:1:*.jsonl"
      })
      expect(ignored.check("Gitignore")).toMatchObject({ status: "warning", message: expect.stringContaining("*.db,") })
      git(at, "add", "-f", ".beads")
      git(at, "commit", "-qm", "all of it")
      expect((yield* doctor()).check("Git Tracking")).toMatchObject({
        status: "warning",
        message: expect.stringContaining("beads.db")
      })
      git(at, "rm", "-q", "--cached", ".beads/beads.db", ".beads/issues.jsonl.lock")
      const index = readFileSync(path.join(at, ".git/index"))
      const fixed = yield* doctor("--fix")
      expect(fixed.check("Gitignore")).toMatchObject({ status: "ok" })
      expect(readFileSync(path.join(beads, ".gitignore"), "utf8")).toMatch(/^\*\.db-wal\n\n# Added by bd doctor\n/)
      expect(fixed.check("Git Tracking")).toMatchObject({ status: "ok" })
      expect(readFileSync(path.join(at, ".git/index")).equals(index)).toBe(true)

      writeFileSync(path.join(at, ".gitattributes"), ".beads/issues.jsonl merge=beads\n")
      expect((yield* doctor()).check("Merge Driver")).toMatchObject({ status: "warning" })
      git(at, "config", "merge.beads.driver", "bd merge %A %O %L %R")
      expect((yield* doctor()).check("Merge Driver")).toMatchObject({ status: "error" })
      yield* run("init", "--merge-driver")
      expect((yield* doctor()).check("Merge Driver")).toMatchObject({ status: "ok" })
      expect((yield* doctor()).found).toEqual([])
    })
  )
})

describe("doctor beside .beads", () => {
  it.scopedLive("G31: tells a daemon of the classic bd that lives, and no other process of its number", () =>
    Effect.gen(function* () {
      const { beads, doctor } = yield* patient
      const asDaemon = (pid: number | undefined) => writeFileSync(path.join(beads, "daemon.pid"), `${pid}\n`)
      const check = Effect.map(doctor(), ({ check, exitCode }) => ({ ...check("Classic Daemon"), exitCode }))
      asDaemon(process.pid)
      expect(yield* check).toMatchObject({ status: "ok", message: expect.stringContaining("daemon.pid"), exitCode: 0 })
      const child = spawn("bash", ["-c", "exec -a 'bd daemon' sleep 60"])
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill()))
      const named = () => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").startsWith("bd daemon")
      yield* Effect.promise(() => vi.waitUntil(named, { timeout: 10_000 }))
      asDaemon(child.pid)
      expect(yield* check).toMatchObject({
        status: "error",
        message: expect.stringContaining(`process ${child.pid}`),
        exitCode: 1
      })
      const ended = new Promise(resolve => child.once("exit", resolve))
      child.kill()
      yield* Effect.promise(() => ended)
      expect(yield* check).toMatchObject({ status: "ok", exitCode: 0 })
    })
  )

  it.scopedLive("tells git hooks that call what is not here", () =>
    Effect.gen(function* () {
      const { at, doctor } = yield* patient
      git(at, "init", "-q")
      const hooks = path.join(at, ".git/hooks")
      mkdirSync(hooks, { recursive: true })
      const check = Effect.map(doctor(), ({ check }) => check("Git Hooks"))
      expect(yield* check).toMatchObject({ status: "ok", message: "none calls bd, and none needs to" })
      const good =
        "#!/bin/sh\n# bd hooks run\nif ! bd sync --flush-only >/dev/null 2>&1; then\n  echo bd daemon; exit 1\nfi\n"
      writeFileSync(path.join(hooks, "pre-commit"), good)
      writeFileSync(path.join(hooks, "post-merge"), "bd import -i .beads/issues.jsonl\n")
      expect(yield* check).toMatchObject({ status: "ok", message: "pre-commit, post-merge: what they call is here" })
      writeFileSync(path.join(hooks, "pre-push"), "command -v bd >/dev/null && bd hooks run pre-push\n")
      writeFileSync(path.join(hooks, "post-merge"), "bd sync\n")
      expect(yield* check).toMatchObject({
        status: "warning",
        message: "git hooks call what this bd does not have: post-merge: bd sync; pre-push: bd hooks run pre-push"
      })
      git(at, "config", "core.hooksPath", "elsewhere")
      expect(yield* check).toMatchObject({ status: "ok" })
    })
  )

  it("knows the file systems of networks by their numbers, however they are signed", () => {
    expect(networkName(0x6969)).toBe("NFS")
    expect(networkName(0xfe534d42)).toBe("SMB2")
    expect(networkName(0xfe534d42 | 0)).toBe("SMB2")
    for (const local of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]) {
      expect(networkName(local)).toBeUndefined()
    }
  })
})

describe("doctor --fix --quarantine", () => {
  it.scopedLive("G17 G19: moves the lines aside with a copy of the file; all issues of both sides stay", () =>
    Effect.gen(function* () {
      const { beads, doctor, file, id, json, lines, run } = yield* patient
      const ours = lines()
      const issue = JSON.parse(ours)
      const theirs = `${JSON.stringify({ ...issue, priority: 0, updated_at: later(issue) })}\n`
      const extra = `${JSON.stringify({ ...issue, id: "app-theirs", title: "Theirs" })}\r\n`
      const conflicted = `<<<<<<< HEAD\n${ours}=======\n${theirs}${extra}>>>>>>> theirs\nnot json \u0001 at all`
      writeFileSync(file, conflicted)
      yield* run("create", "Waits", "--json")
      const before = readFileSync(file)
      expect((yield* run("doctor", "--quarantine")).exitCode).toBe(2)

      const { document, exitCode, found } = yield* doctor("--fix", "--quarantine")
      expect(found).toEqual([])
      expect(exitCode).toBe(0)
      expect(document.repairs.map(({ done, name }: { done: boolean; name: string }) => [name, done])).toEqual([
        ["Issue File", true],
        ["Unpublished Changes", true]
      ])
      expect(document.repairs[0].message).toContain("moved 4 lines (1, 3, 6, 7)")
      const names = readdirSync(path.join(beads, "quarantine")).sort()
      expect(names).toEqual([
        expect.stringMatching(/^issues\.jsonl\.[0-9a-f]{12}\.(backup|lines)$/),
        expect.stringMatching(/^issues\.jsonl\.[0-9a-f]{12}\.(backup|lines)$/)
      ])
      const kept = (suffix: string) =>
        readFileSync(path.join(beads, "quarantine", names.find(name => name.endsWith(suffix)) ?? ""))
      expect(kept(".backup").equals(before)).toBe(true)
      expect(kept(".lines").toString()).toBe("<<<<<<< HEAD\n=======\n>>>>>>> theirs\nnot json \u0001 at all")
      expect((yield* json("show", id))[0]).toMatchObject({ title: "First", priority: 0 })
      expect((yield* json("list")).map(({ title }: { title: string }) => title).sort()).toEqual([
        "First",
        "Theirs",
        "Waits"
      ])
      // done again it changes nothing
      const after = contents(beads)
      expect((yield* doctor("--fix", "--quarantine")).document.repairs).toEqual([])
      expect(contents(beads)).toEqual(after)
    })
  )

  it.scopedLive("works without a store, and leaves what a broken one holds alone", () =>
    Effect.gen(function* () {
      const { beads, doctor, file, lines } = yield* patient
      const good = lines()
      writeFileSync(file, `${good}broken\n`)
      writeFileSync(path.join(beads, "beads.db"), "no database ".repeat(50))
      const { check, exitCode } = yield* doctor("--fix", "--quarantine")
      expect(check("Issue File")).toMatchObject({ status: "ok" })
      expect(check("Database")).toMatchObject({ status: "error" })
      expect(exitCode).toBe(1)
      expect(lines()).toBe(good)
    })
  )

  it.scopedLive("G33: a quarantine that is a link elsewhere is refused, and the file stays as it is", () =>
    Effect.gen(function* () {
      const { at, beads, doctor, file, lines } = yield* patient
      const elsewhere = path.join(at, "elsewhere")
      mkdirSync(elsewhere)
      execFileSync("ln", ["-s", elsewhere, path.join(beads, "quarantine")])
      const broken = `${lines()}broken\n`
      writeFileSync(file, broken)
      const { document, exitCode } = yield* doctor("--fix", "--quarantine")
      expect(document.repairs).toEqual([
        { name: "Issue File", done: false, message: expect.stringContaining("it is not a directory") }
      ])
      expect(exitCode).toBe(1)
      expect(lines()).toBe(broken)
      expect(readdirSync(elsewhere)).toEqual([])
    })
  )

  it.scopedLive("G12: keeps the mode of the file, and does nothing while another process holds the lock", () =>
    Effect.gen(function* () {
      const { at, beads, file, lines, run } = yield* patient
      const broken = `${lines()}broken\n`
      writeFileSync(file, broken)
      chmodSync(file, 0o640)
      const lock = new Database(path.join(beads, "issues.jsonl.lock"))
      lock.exec("begin exclusive")
      const waited = yield* run("doctor", "--fix", "--quarantine", "--lock-timeout", "50ms")
      lock.exec("rollback")
      lock.close()
      expect(waited).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("has held the lock") })
      expect(lines()).toBe(broken)
      expect((yield* bd(at, ["doctor", "--fix", "--quarantine"])).exitCode).toBe(0)
      expect(statSync(file).mode & 0o777).toBe(0o640)
    })
  )
})
