import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Layer, Logger, Option } from "effect"
import * as ClassicTakeover from "../../src/flush/ClassicTakeover.ts"
import { type Disk, DiskFailure, nodeDisk } from "../../src/issue-file/Disk.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"
import * as Workspace from "../../src/tracker/Workspace.ts"
import { type ClassicContent, type ClassicOptions, type ClassicRow, makeClassic } from "../classic.ts"
import { realFiles } from "../realFiles.ts"

const scratch = mkdtempSync(join(tmpdir(), "classic-takeover-"))
afterAll(() => rmSync(scratch, { recursive: true }))

type Line = Readonly<Record<string, unknown>>

interface Project {
  readonly directory: string
  readonly file: string
  readonly store: string
}

const toText = (lines: ReadonlyArray<Line | string>) =>
  lines.map(line => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")

const project = (content: ClassicContent, lines?: ReadonlyArray<Line | string>, options?: ClassicOptions): Project => {
  const directory = join(mkdtempSync(join(scratch, "p-")), ".beads")
  mkdirSync(directory)
  const made = { directory, file: join(directory, "issues.jsonl"), store: join(directory, "beads.db") }
  makeClassic(made.store, content, options)
  if (lines !== undefined) writeFileSync(made.file, toText(lines))
  return made
}

const run = <A, E>(
  { directory }: Project,
  body: (tracker: Tracker["Type"]) => Effect.Effect<A, E>,
  options: Partial<Workspace.WorkspaceOptions> = {}
) =>
  Effect.scoped(Effect.flatMap(Tracker, body)).pipe(
    Effect.provide(
      Workspace.layer({ directory, actor: "tester", lockTimeout: "1 second", ...options }).pipe(
        Layer.provideMerge(Logger.remove(Logger.defaultLogger))
      )
    )
  )

/** What a command that changes something leaves in the file, by id. */
const published = Effect.fnUntraced(function* (made: Project) {
  const { failure } = yield* run(made, tracker => tracker.publishing(tracker.flushNow()))
  expect(failure).toEqual(Option.none())
  return new Map(
    readFileSync(made.file, "utf8")
      .split("\n")
      .filter(text => text !== "")
      .map((text): readonly [string, Line] => [JSON.parse(text).id, JSON.parse(text)])
  )
})

const created_at = "2025-11-23T06:29:13.697141054Z"
const row = (id: string, more: Omit<ClassicRow, "id"> = {}): ClassicRow => ({
  id,
  created_at,
  updated_at: "2025-11-24T10:00:00Z",
  ...more
})
const line = (id: string, more: Line = {}): Line => ({
  id,
  title: `Title of ${id}`,
  description: "",
  status: "open",
  priority: 2,
  issue_type: "task",
  created_at,
  updated_at: "2025-11-24T10:00:00Z",
  ...more
})

/** The disk, where the operation of this number fails: of those that change something, or look. */
const failing = (at: number) => {
  let count = 0
  const fails = (): boolean => ++count === at
  const failure = (operation: string, path: string) =>
    new DiskFailure({ path, operation, code: "ENOSPC", cause: new Error("injected") })
  const now =
    <A extends ReadonlyArray<unknown>, B>(operation: string, real: (path: string, ...rest: A) => B) =>
    (path: string, ...rest: A): B => {
      if (fails()) throw failure(operation, path)
      return real(path, ...rest)
    }
  const later =
    <A extends ReadonlyArray<unknown>, B>(
      operation: string,
      real: (path: string, ...rest: A) => Effect.Effect<B, DiskFailure>
    ) =>
    (path: string, ...rest: A): Effect.Effect<B, DiskFailure> =>
      Effect.suspend(() => (fails() ? Effect.fail(failure(operation, path)) : real(path, ...rest)))
  const disk: Disk = {
    ...nodeDisk,
    open: later("open", nodeDisk.open),
    write: later("write", nodeDisk.write),
    fsync: later("fsync", nodeDisk.fsync),
    stat: now("stat", nodeDisk.stat),
    rename: now("rename", nodeDisk.rename),
    unlink: now("unlink", nodeDisk.unlink)
  }
  return { disk, failed: () => count >= at }
}

const takeOver = ({ directory, file, store }: Project, disk: Disk) =>
  ClassicTakeover.run({ path: store, busyTimeout: "1 second", keepPrefix: () => Effect.void }, disk).pipe(
    Effect.provide([
      IssueLock.layer({ path: join(directory, "issues.jsonl.lock"), timeout: "1 second" }),
      IssueFile.layer({ path: file, gitTimeout: "1 second" })
    ]),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

const classicRows = (path: string) => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare("select * from issues order by id").all()
  } finally {
    database.close()
  }
}

describe("taking over a classic database", () => {
  it.live("G18, G19: comments, labels and dependencies that only the database holds are published", () =>
    Effect.gen(function* () {
      const made = project(
        {
          issues: [row("bd-1"), row("bd-2")],
          comments: [
            ["bd-1", "alice", "only in the database", "2025-11-24 11:00:00"],
            ["bd-1", "bob", "in both", "2025-11-24 12:00:00"]
          ],
          labels: [
            ["bd-1", "database"],
            ["bd-1", "both"]
          ],
          dependencies: [["bd-1", "bd-2", "blocks", "2025-11-24 11:30:00.5 +0000 UTC"]]
        },
        [
          line("bd-1", {
            labels: ["both", "file"],
            comments: [
              { id: 1, issue_id: "bd-1", author: "bob", text: "in both", created_at: "2025-11-24T12:00:00Z" },
              { id: 7, issue_id: "bd-1", author: "carol", text: "only in the file", created_at: "2025-11-20T00:00:00Z" }
            ]
          }),
          line("bd-2")
        ]
      )
      const issues = yield* published(made)
      expect(issues.get("bd-1")).toEqual(
        line("bd-1", {
          labels: ["both", "database", "file"],
          dependencies: [
            {
              issue_id: "bd-1",
              depends_on_id: "bd-2",
              type: "blocks",
              created_at: "2025-11-24T11:30:00.5Z",
              created_by: "alice"
            }
          ],
          comments: [
            { id: 1, issue_id: "bd-1", author: "bob", text: "in both", created_at: "2025-11-24T12:00:00Z" },
            { id: 7, issue_id: "bd-1", author: "carol", text: "only in the file", created_at: "2025-11-20T00:00:00Z" },
            // its own number, 1, is bob's in the line
            {
              id: 8,
              issue_id: "bd-1",
              author: "alice",
              text: "only in the database",
              created_at: "2025-11-24T11:00:00Z"
            }
          ]
        })
      )
      expect(issues.get("bd-2")).toEqual(line("bd-2"))
    })
  )

  it.live("G22: dirty rows win field by field, clean rows follow their line, unknown keys of the line stay", () =>
    Effect.gen(function* () {
      const later = { updated_at: "2025-11-25 10:00:00" }
      const made = project(
        {
          issues: [
            row("bd-clean", { ...later, title: "stale", notes: "stale" }),
            row("bd-dirty", { ...later, priority: 0, assignee: "", design: "mine" }),
            row("bd-older", { updated_at: "2025-11-23T10:00:00Z", title: "older", notes: "n" })
          ],
          dirty: ["bd-dirty", "bd-older"]
        },
        [
          line("bd-clean", { x: { 1: 1.5 } }),
          line("bd-dirty", { assignee: "carol", x: [1], content_hash: "0a", source_repo: "." }),
          line("bd-older", { title: "newer in the file" })
        ]
      )
      const issues = yield* published(made)
      expect(issues.get("bd-clean")).toEqual(line("bd-clean", { x: { 1: 1.5 } }))
      expect(issues.get("bd-dirty")).toEqual(
        line("bd-dirty", { priority: 0, design: "mine", x: [1], updated_at: "2025-11-25T10:00:00Z" })
      )
      expect(issues.get("bd-older")).toMatchObject({ title: "newer in the file", updated_at: "2025-11-24T10:00:00Z" })
    })
  )

  it.live("G22: a dirty row wins in a file that the database wrote itself, whatever the stamps say", () =>
    Effect.gen(function* () {
      const text = toText([line("bd-1", { updated_at: "2026-01-01T00:00:00Z" })])
      const { createHash } = yield* Effect.promise(() => import("node:crypto"))
      const jsonl_file_hash = createHash("sha256").update(text).digest("hex")
      const made = project(
        { issues: [row("bd-1", { title: "mine" })], dirty: ["bd-1"], metadata: { jsonl_file_hash } },
        [line("bd-1", { updated_at: "2026-01-01T00:00:00Z" })]
      )
      expect((yield* published(made)).get("bd-1")).toMatchObject({ title: "mine" })
    })
  )

  for (const state of ["checkpointed", "log", "all in log"] as const) {
    it.live(
      `G19: rows without a line are added, their content ${state === "checkpointed" ? "in one file" : state}`,
      () =>
        Effect.gen(function* () {
          const content: ClassicContent = {
            issues: [
              row("my-app-1", { status: "closed", closed_at: "2025-11-24 10:00:00 +0000 UTC", estimated_minutes: 0 }),
              row("my-app-2", { external_ref: "gh-9", compaction_level: 1, original_size: 77, assignee: "" })
            ],
            prefix: "my-app-",
            childCounters: { "my-app-2": 7 },
            events: [["my-app-1", "closed", "alice", "done"]]
          }
          const made = project(content, [line("my-app-3")], { state })
          expect(existsSync(`${made.store}-wal`)).toBe(state !== "checkpointed")
          const prefixes: Array<string> = []
          const before = classicRows(made.store)
          const keepPrefix = (prefix: string) => Effect.sync(() => void prefixes.push(prefix))
          const child = yield* run(made, tracker => tracker.create({ title: "child", parent: "my-app-2" }), {
            keepPrefix
          })
          const top = yield* run(made, tracker => tracker.create({ title: "top" }))
          expect(child.id).toBe("my-app-2.8")
          expect(top.id).toMatch(/^my-app-/)
          expect(prefixes).toEqual(["my-app"])
          const issues = yield* published(made)
          expect([...issues.keys()].sort()).toEqual(["my-app-1", "my-app-2", "my-app-2.8", "my-app-3", top.id].sort())
          const { description: _, ...first } = line("my-app-1")
          expect(issues.get("my-app-1")).toEqual({
            ...first,
            status: "closed",
            estimated_minutes: 0,
            closed_at: "2025-11-24T10:00:00Z"
          })
          const { description: __, ...second } = line("my-app-2")
          expect(issues.get("my-app-2")).toEqual({
            ...second,
            external_ref: "gh-9",
            compaction_level: 1,
            original_size: 77
          })
          expect(readdirSync(made.directory).sort()).toEqual([
            "beads.db",
            "beads.db.classic",
            "issues.jsonl",
            "issues.jsonl.lock"
          ])
          expect(classicRows(`${made.store}.classic`)).toEqual(before)
        })
    )
  }

  for (const [name, bytes] of realFiles) {
    it.live(`G15, G18: ${name}, with its issues in a classic database too, stays byte for byte`, () =>
      Effect.gen(function* () {
        const lines = IssueLines.read(bytes).lines.map(({ text }) => JSON.parse(text))
        const known = ["title", "description", "design", "acceptance_criteria", "notes", "status", "priority"]
        const texts = [...known, "issue_type", "assignee", "created_at", "updated_at", "closed_at"]
        const made = project(
          {
            issues: lines.map(issue => ({
              id: issue.id,
              ...Object.fromEntries(texts.flatMap(key => (issue[key] === undefined ? [] : [[key, issue[key]]])))
            })),
            labels: lines.flatMap(({ id, labels = [] }) => labels.map((label: string) => [id, label])),
            comments: lines.flatMap(({ comments = [], id }) =>
              comments.map((c: Line) => [id, c["author"], c["text"], c["created_at"]])
            )
          },
          undefined,
          { later: true, without: "drop table dirty_issues" }
        )
        writeFileSync(made.file, bytes)
        yield* published(made)
        expect(readFileSync(made.file).equals(bytes)).toBe(true)
        expect(lines.length).toBeGreaterThan(50)
      })
    )
  }

  it.live("G18, G23: later versions: tombstones delete, their columns and unknown ones are kept", () =>
    Effect.gen(function* () {
      const deletion = {
        status: "tombstone",
        deleted_at: "2025-12-01 00:00:00",
        deleted_by: "alice",
        delete_reason: "double",
        original_type: "bug"
      }
      const made = project(
        {
          issues: [
            row("bd-1", { ...deletion, closed_at: "2025-11-30 00:00:00" }),
            row("bd-2", deletion),
            row("bd-3", { status: "closed", closed_at: "2025-11-30 00:00:00", close_reason: "done", created_by: "al" }),
            row("bd-4", {
              pinned: 1,
              await_type: "gh:run",
              timeout_ns: 5000000000,
              waiters: '["a", "b"]',
              quality_score: 0.5,
              defer_until: "2026-01-01 08:00:00+01:00"
            })
          ],
          dirty: ["bd-4"]
        },
        [line("bd-1"), line("bd-4")],
        { later: true, without: "pragma ignore_check_constraints = on" }
      )
      const issues = yield* published(made)
      const deleted = { ...deletion, deleted_at: "2025-12-01T00:00:00Z" }
      expect(issues.get("bd-1")).toMatchObject(deleted)
      expect(issues.get("bd-2")).toMatchObject(deleted)
      expect(issues.get("bd-3")).toMatchObject({ close_reason: "done", created_by: "al" })
      expect(issues.get("bd-4")).toEqual(
        line("bd-4", {
          pinned: true,
          await_type: "gh:run",
          timeout: 5000000000,
          waiters: ["a", "b"],
          quality_score: 0.5,
          defer_until: "2026-01-01T08:00:00+01:00"
        })
      )
      const shown = yield* run(made, tracker => tracker.list({}))
      expect(shown.items.map(({ issue }) => issue.id).sort()).toEqual(["bd-3", "bd-4"])
    })
  )

  it.live("G18: an early version without comments, marks, counters and later columns", () =>
    Effect.gen(function* () {
      const made = project({ issues: [row("bd-1")], labels: [["bd-1", "x"]] }, undefined, {
        without: `drop table comments; drop table dirty_issues; drop table child_counters; drop table metadata;
          drop view ready_issues; drop index idx_issues_external_ref_unique;
          alter table issues drop column external_ref; alter table issues drop column source_repo;
          alter table issues drop column content_hash; alter table issues drop column compaction_level`
      })
      expect((yield* published(made)).get("bd-1")).toMatchObject({ title: "Title of bd-1", labels: ["x"] })
    })
  )

  it.live("G22: an id that stands twice in the file becomes one line, with what the database adds", () =>
    Effect.gen(function* () {
      const content: ClassicContent = {
        issues: [
          row("bd-1", { title: "stale", updated_at: "2025-12-01 00:00:00" }),
          row("bd-2", { title: "mine", updated_at: "2025-12-01 00:00:00" })
        ],
        dirty: ["bd-2"],
        labels: [["bd-1", "database"]]
      }
      const one = { notes: "one", x: 1, updated_at: "2025-11-24T11:00:00Z" }
      const made = project(content, [
        line("bd-1", one),
        line("bd-1", { labels: ["two"] }),
        line("bd-2", one),
        line("bd-2", { labels: ["two"] })
      ])
      const issues = yield* published(made)
      expect(issues.get("bd-1")).toEqual(line("bd-1", { ...one, labels: ["database", "two"] }))
      expect(issues.get("bd-2")).toMatchObject({ title: "mine", x: 1, labels: ["two"] })
      expect(readFileSync(made.file, "utf8").trimEnd().split("\n")).toHaveLength(2)
    })
  )

  it.live("G23: a deletion in the file wins over the row, clean or dirty", () =>
    Effect.gen(function* () {
      const tombstone = { status: "tombstone", deleted_at: "2025-11-24T12:00:00Z", deleted_by: "carol" }
      const made = project(
        { issues: [row("bd-1"), row("bd-2", { updated_at: "2026-01-01 00:00:00", notes: "mine" })], dirty: ["bd-2"] },
        [line("bd-1", tombstone), line("bd-2", tombstone)]
      )
      const issues = yield* published(made)
      expect(issues.get("bd-1")).toEqual(line("bd-1", tombstone))
      expect(issues.get("bd-2")).toMatchObject({ ...tombstone, notes: "mine" })
    })
  )

  it.live("G24: a dirty row and a line created apart under one id become two issues", () =>
    Effect.gen(function* () {
      const made = project({ issues: [row("bd-1.1", { title: "mine" })], dirty: ["bd-1.1"] }, [
        line("bd-1.1", { title: "theirs", created_at: "2025-11-20T00:00:00Z" })
      ])
      const issues = yield* published(made)
      expect([...issues.values()].map(issue => issue["title"]).sort()).toEqual(["mine", "theirs"])
      expect(issues.get("bd-1.1")).toMatchObject({ title: "theirs" })
    })
  )

  it.live("G22: a comment that the classic import stamped anew is no second comment", () =>
    Effect.gen(function* () {
      const comment = { id: 3, issue_id: "bd-1", author: "al", text: "done ", created_at: "2025-11-20T00:00:00Z" }
      const made = project(
        {
          issues: [row("bd-1")],
          comments: [
            ["bd-1", "al", "done", "2025-11-24 00:00:00"],
            ["bd-1", "al", "done", "2025-11-25 00:00:00"]
          ]
        },
        [line("bd-1", { comments: [comment] })]
      )
      const comments = (yield* published(made)).get("bd-1")?.["comments"]
      expect(comments).toMatchObject([comment, { author: "al", text: "done", created_at: "2025-11-25T00:00:00Z" }])
    })
  )

  for (const state of ["checkpointed", "all in log"] as const) {
    it.live(
      `G29: each operation on the disk fails once: refused, nothing lost, done by the next command (${state})`,
      () =>
        Effect.gen(function* () {
          const content: ClassicContent = { issues: [row("bd-1"), row("bd-2")], dirty: ["bd-2"] }
          const lines = [line("bd-1"), line("bd-2", { title: "stale", updated_at: created_at })]
          let failures = 0
          for (let at = 1; ; at++) {
            const made = project(content, lines, { state })
            const disk = failing(at)
            const exit = yield* Effect.exit(takeOver(made, disk.disk))
            if (!disk.failed()) {
              // the fault came after the last operation: all points have been tried
              expect(exit._tag).toBe("Success")
              break
            }
            if (exit._tag === "Failure") {
              failures++
              expect(yield* Effect.flip(exit)).toMatchObject({ _tag: "StoreError", reason: "full", path: made.store })
            }
            // a complete database stands in its place, one or the other
            const issues = yield* published(made)
            expect([...issues.values()].map(({ id, title }) => [id, title])).toEqual([
              ["bd-1", "Title of bd-1"],
              ["bd-2", "Title of bd-2"]
            ])
            const left = ["beads.db", "beads.db.classic", "issues.jsonl", "issues.jsonl.lock"]
            expect(readdirSync(made.directory).sort()).toEqual(left)
          }
          expect(failures).toBeGreaterThan(state === "checkpointed" ? 8 : 14)
        }),
      60_000
    )
  }

  it.live("G17: an unreadable line refuses the takeover; database and log stay byte for byte", () =>
    Effect.gen(function* () {
      const made = project({ issues: [row("bd-1")] }, [line("bd-1"), "<<<<<<< HEAD"], { state: "log" })
      const before = [made.store, `${made.store}-wal`].map(path => readFileSync(path))
      const error = yield* Effect.flip(run(made, tracker => tracker.create({ title: "x" })))
      expect(error).toMatchObject({ _tag: "UnreadableLine", line: 2 })
      expect(
        [made.store, `${made.store}-wal`].map((path, i) => readFileSync(path).equals(before[i] as Buffer))
      ).toEqual([true, true])
      expect(existsSync(`${made.store}.classic`)).toBe(false)
      writeFileSync(made.file, toText([line("bd-1")]))
      expect([...(yield* published(made)).keys()]).toEqual(["bd-1"])
    })
  )

  it.live("G19: an earlier copy steps aside, and is not overwritten", () =>
    Effect.gen(function* () {
      const made = project({ issues: [row("bd-1")] })
      writeFileSync(`${made.store}.classic`, "earlier")
      yield* run(made, tracker => tracker.list({}))
      expect(readFileSync(`${made.store}.classic.2`, "utf8")).toBe("earlier")
      expect(classicRows(`${made.store}.classic`)).toHaveLength(1)
    })
  )

  it.live("G33: a database of some other program is refused as before, and stays as it is", () =>
    Effect.gen(function* () {
      const made = project({}, undefined, { without: "pragma application_id = 7" })
      const before = readFileSync(made.store)
      const error = yield* Effect.flip(run(made, tracker => tracker.list({})))
      expect(error).toMatchObject({ _tag: "StoreError", reason: "foreign" })
      expect(readFileSync(made.store).equals(before)).toBe(true)
      expect(readdirSync(made.directory)).toEqual(["beads.db"])
    })
  )
})
