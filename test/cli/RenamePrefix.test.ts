import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { bd, directory, project } from "./harness.ts"

// each test runs bd a dozen times, and the machine may be busy
vi.setConfig({ testTimeout: 30_000 })

type Line = Readonly<Record<string, unknown>> & { readonly id: string; readonly status: string }

const parse = (text: string): ReadonlyArray<Line> =>
  text
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line))

const living = (text: string) => parse(text).filter(({ status }) => status !== "tombstone")

/** Another clone, with the issue file as it is now and a store of its own. */
const cloneOf = (file: string) =>
  Effect.gen(function* () {
    const at = yield* directory
    mkdirSync(path.join(at, ".beads"))
    const own = path.join(at, ".beads/issues.jsonl")
    copyFileSync(file, own)
    const run = (...words: ReadonlyArray<string>) => bd(at, words, { env: { BD_ACTOR: "bob" } })
    expect(yield* run("init")).toMatchObject({ exitCode: 0 })
    return { file: own, run, lines: () => readFileSync(own, "utf8"), loseStore: () => loseStore(at) }
  })

const loseStore = (at: string) => {
  for (const name of ["beads.db", "beads.db-wal", "beads.db-shm"])
    rmSync(path.join(at, ".beads", name), { force: true })
}

const show = (lines: string, id: string) => living(lines).find(line => line.id === id)

describe("rename-prefix", () => {
  it.scopedLive(
    "G19: ids, dependencies, comments and mentions follow; the old ids stay as tombstones that find the issue",
    () =>
      Effect.gen(function* () {
        const { create, json, lines, run } = yield* project
        const a = yield* create("First", "--id", "app-a1")
        yield* create(
          "Second",
          "--id",
          "app-b2",
          "--blocked-by",
          a,
          "-d",
          "see app-a1. Not app-a11, but (app-a1)",
          "--notes",
          "app-a1-x"
        )
        const child = yield* create("Child", "--parent", a)
        yield* run("delete", yield* create("Gone", "--parent", a), "--force")
        yield* run("comment", a, "about app-b2")
        yield* create("Foreign", "--id", "other-1", "--force", "--deps", `related:${a}`)
        const before = lines()
        expect(yield* json("rename-prefix", "new", "--dry-run")).toMatchObject({
          dry_run: true,
          old_prefix: "app",
          new_prefix: "new",
          issues_count: 3
        })
        expect(lines()).toBe(before)

        expect(yield* json("rename-prefix", "new")).toMatchObject({
          old_prefix: "app",
          new_prefix: "new",
          issues_count: 3
        })
        expect(living(lines()).map(({ id }) => id)).toEqual(["new-a1", "new-a1.1", "new-b2", "other-1"])
        expect(show(lines(), "new-b2")).toMatchObject({
          description: "see new-a1. Not app-a11, but (new-a1)",
          notes: "app-a1-x",
          dependencies: [{ issue_id: "new-b2", depends_on_id: "new-a1" }]
        })
        expect(show(lines(), "new-a1")).toMatchObject({ comments: [{ issue_id: "new-a1", text: "about app-b2" }] })
        expect(show(lines(), "other-1")).toMatchObject({ dependencies: [{ depends_on_id: "new-a1" }] })
        expect(parse(lines()).find(({ id }) => id === a)).toMatchObject({ status: "tombstone", renamed_to: "new-a1" })
        expect((yield* json("ready")).map(({ id }: Line) => id)).not.toContain("new-b2")

        expect((yield* json("show", a))[0]).toMatchObject({ id: "new-a1", title: "First" })
        expect(yield* run("update", child, "--notes", "by the old id")).toMatchObject({ exitCode: 0 })
        expect(show(lines(), "new-a1.1")).toMatchObject({ notes: "by the old id" })
        expect(yield* run("undelete", a)).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("new-a1") })
        expect((yield* json("config", "get", "issue-prefix")).value).toBe("new")
        expect(yield* create("Later")).toMatch(/^new-/)
        // the number of the deleted child is not given again
        expect(yield* create("Second child", "--parent", "new-a1")).toBe("new-a1.3")
        expect((yield* json("history", "new-a1")).map(({ event_type }: { event_type: string }) => event_type)).toEqual([
          "renamed",
          "commented",
          "created"
        ])
      })
  )

  it.scopedLive("G19: issues of a longer prefix keep their ids, and the answer names them", () =>
    Effect.gen(function* () {
      const { create, json, lines, run } = yield* project
      yield* create("First", "--id", "app-a1")
      yield* create("Other", "--id", "app-ui-b2", "--force")
      expect(yield* json("rename-prefix", "new", "--dry-run")).toMatchObject({ issues_count: 1, kept: ["app-ui-b2"] })
      expect((yield* run("rename-prefix", "new")).stdout).toContain("keep their ids, --from renames them: app-ui-b2")
      expect(living(lines()).map(({ id }) => id)).toEqual(["app-ui-b2", "new-a1"])
      expect(yield* json("rename-prefix", "new-ui", "--from", "app-ui")).toMatchObject({ issues_count: 1, kept: [] })
      expect(living(lines()).map(({ id }) => id)).toEqual(["new-a1", "new-ui-b2"])
    })
  )

  it.scopedLive("G8: the need of a full export is kept in the store until the next flush, whoever does it", () =>
    Effect.gen(function* () {
      const { create, json, lines, run } = yield* project
      yield* create("First", "--id", "app-a1")
      yield* create("Foreign", "--id", "other-1", "--force")
      yield* run("rename-prefix", "new", "--no-auto-flush")
      expect(living(lines()).map(({ id }) => id)).toEqual(["app-a1", "other-1"])
      expect(yield* json("flush")).toMatchObject({ mode: "full" })
      expect(living(lines()).map(({ id }) => id)).toEqual(["new-a1", "other-1"])
      yield* run("note", "new-a1", "x", "--no-auto-flush")
      expect(yield* json("flush")).toMatchObject({ mode: "incremental" })
    })
  )

  it.scopedLive(
    "an id that is taken is a conflict, and nothing is renamed; renaming back brings the old ids back",
    () =>
      Effect.gen(function* () {
        const { create, json, lines, run } = yield* project
        yield* create("First", "--id", "app-a1")
        yield* create("Second", "--id", "app-b2", "--blocked-by", "app-a1")
        const taken = yield* create("Taken", "--id", "new-b2", "--force")
        const before = lines()
        expect(yield* run("rename-prefix", "new")).toMatchObject({ exitCode: 5 })
        expect(lines()).toBe(before)
        expect(yield* run("rename-prefix", "a b")).toMatchObject({ exitCode: 4 })
        expect(yield* run("rename-prefix", "fresh")).toMatchObject({ exitCode: 0 })
        expect(yield* run("rename-prefix", "fresh")).toMatchObject({ exitCode: 0 })
        expect(yield* json("rename-prefix", "app")).toMatchObject({ old_prefix: "fresh", issues_count: 2 })
        expect(living(lines()).map(({ id }) => id)).toEqual(["app-a1", "app-b2", taken])
        expect(show(lines(), "app-b2")).toMatchObject({ dependencies: [{ depends_on_id: "app-a1" }] })
        expect((yield* json("show", "fresh-a1"))[0]).toMatchObject({ id: "app-a1" })
        expect(show(lines(), "app-a1")).not.toHaveProperty("renamed_to")
      })
  )
})

describe("edits of an old id that arrive later", () => {
  /** A project with one issue, another clone of it, and the project's issues then renamed. */
  const renamed = Effect.gen(function* () {
    const a = yield* project
    yield* a.create("First", "--id", "app-a1", "-d", "as app-b2 says", "-l", "one")
    yield* a.create("Second", "--id", "app-b2")
    const old = a.lines()
    const b = yield* cloneOf(a.file)
    const rename = Effect.gen(function* () {
      expect(yield* a.run("rename-prefix", "new")).toMatchObject({ exitCode: 0 })
      expect(yield* a.run("update", "new-a1", "--priority", "0")).toMatchObject({ exitCode: 0 })
    })
    const edit = Effect.gen(function* () {
      const done = yield* b.run(
        "update",
        "app-a1",
        "--title",
        "Edited",
        "--add-label",
        "two",
        "-d",
        "as app-b2 says, too"
      )
      expect(done).toMatchObject({ exitCode: 0 })
    })
    return { a, b, old, rename, edit }
  })

  const expectBoth = (lines: string) => {
    expect(living(lines).map(({ id }) => id)).toEqual(["new-a1", "new-b2"])
    expect(show(lines, "new-a1")).toMatchObject({
      title: "Edited",
      description: "as new-b2 says, too",
      priority: 0,
      labels: ["one", "two"]
    })
  }

  for (const order of ["before", "after"] as const) {
    const prepared = Effect.gen(function* () {
      const all = yield* renamed
      if (order === "before") yield* all.edit
      yield* all.rename
      if (order === "after") yield* all.edit
      return all
    })

    it.scopedLive(`G19: an import of an edit made ${order} the renaming is applied to the new id`, () =>
      Effect.gen(function* () {
        const { a, b } = yield* prepared
        expect(yield* a.run("import", "-i", b.file)).toMatchObject({ exitCode: 0 })
        expectBoth(a.lines())
        // again: nothing new
        const once = a.lines()
        expect(yield* a.run("import", "-i", b.file)).toMatchObject({ exitCode: 0 })
        expect(a.lines()).toBe(once)
      })
    )

    it.scopedLive(`G19: so is one made ${order} it where the store was lost`, () =>
      Effect.gen(function* () {
        const { a, b } = yield* prepared
        loseStore(a.at)
        expect(yield* a.run("import", "-i", b.file)).toMatchObject({ exitCode: 0 })
        expectBoth(a.lines())
      })
    )

    it.scopedLive(`G19: so is one made ${order} it whose line stands beside the tombstone (a union merge)`, () =>
      Effect.gen(function* () {
        const { a, b } = yield* prepared
        const edited = b
          .lines()
          .split("\n")
          .find(line => line.includes("Edited"))
        writeFileSync(a.file, `${a.lines()}${edited}\n`)
        const union = a.lines()
        expect(yield* a.run("flush")).toMatchObject({ exitCode: 0 })
        expectBoth(a.lines())
        // the clone that made the edit comes to the same
        writeFileSync(b.file, union)
        expect(yield* b.run("flush")).toMatchObject({ exitCode: 0 })
        expect(b.lines()).toBe(a.lines())
      })
    )

    it.scopedLive(`G19: so is one made ${order} it by the merge driver`, () =>
      Effect.gen(function* () {
        const { a, b, old } = yield* prepared
        const base = path.join(a.at, "base")
        writeFileSync(base, old)
        expect(yield* a.run("merge", a.file, base, a.file, b.file)).toMatchObject({ exitCode: 0 })
        expect(yield* a.run("flush")).toMatchObject({ exitCode: 0 })
        expectBoth(a.lines())
      })
    )
  }

  it.scopedLive("G19, G23: a deletion of the old id deletes the new one, and the old id still says where it went", () =>
    Effect.gen(function* () {
      const { a, b, rename } = yield* renamed
      yield* rename
      expect(yield* b.run("delete", "app-a1", "--force")).toMatchObject({ exitCode: 0 })
      expect(yield* a.run("import", "-i", b.file)).toMatchObject({ exitCode: 0 })
      expect(living(a.lines()).map(({ id }) => id)).toEqual(["new-b2"])
      expect(parse(a.lines()).find(({ id }) => id === "app-a1")).toMatchObject({ renamed_to: "new-a1" })
      expect(yield* a.run("undelete", "new-a1")).toMatchObject({ exitCode: 0 })
      // what is known of is not applied again
      expect(yield* a.run("import", "-i", b.file)).toMatchObject({ exitCode: 0 })
      expect(living(a.lines()).map(({ id }) => id)).toEqual(["new-a1", "new-b2"])
    })
  )

  it.scopedLive("G19: a change not yet published when the tombstone is pulled goes to the new id", () =>
    Effect.gen(function* () {
      const { a, b, rename } = yield* renamed
      yield* b.run("update", "app-a1", "--title", "Edited", "--no-auto-flush")
      yield* b.run("create", "Mine", "--id", "app-c3", "--blocked-by", "app-a1", "--no-auto-flush")
      yield* rename
      copyFileSync(a.file, b.file)
      expect(yield* b.run("flush")).toMatchObject({ exitCode: 0 })
      expect(show(b.lines(), "new-a1")).toMatchObject({ title: "Edited", priority: 0 })
      expect(show(b.lines(), "app-c3")).toMatchObject({ dependencies: [{ depends_on_id: "new-a1" }] })
      expect((yield* b.run("blocked")).stdout).toContain("app-c3")
    })
  )

  for (const lost of [false, true]) {
    it.scopedLive(
      `G19: an older branch checked out and back is no edit${lost ? ", also where the store was lost" : ""}`,
      () =>
        Effect.gen(function* () {
          const { a, old, rename } = yield* renamed
          yield* a.run("update", "app-a1", "--remove-label", "one", "--title", "Newer")
          yield* rename
          const newest = a.lines()
          if (lost) loseStore(a.at)
          if (lost) yield* a.run("list")
          writeFileSync(a.file, old)
          expect(yield* a.run("flush")).toMatchObject({ exitCode: 0 })
          expect(a.lines()).toBe(newest)
          writeFileSync(a.file, old)
          yield* a.run("list")
          writeFileSync(a.file, newest)
          expect(yield* a.run("flush")).toMatchObject({ exitCode: 0 })
          expect(a.lines()).toBe(newest)
        })
    )
  }
})
