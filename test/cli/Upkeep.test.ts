/** `duplicates`, `validate`, `repair-deps`, `detect-pollution`, `migrate`, `info --schema`. */
import { readdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SqliteSchema from "../../src/store/SqliteSchema.ts"
import { project } from "./harness.ts"

const stamp = "2026-01-01T00:00:00Z"

const line = (id: string, fields: Readonly<Record<string, unknown>> = {}): string =>
  `${JSON.stringify({
    id,
    title: id,
    description: `What ${id} is about, in some words`,
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: stamp,
    updated_at: stamp,
    ...fields
  })}\n`

const on = (issue_id: string, depends_on_id: string, type = "blocks") => ({
  dependencies: [{ issue_id, depends_on_id, type, created_at: stamp, created_by: "ann" }]
})

const same = { title: "Same", description: "The very same text of some length" }

/** A project whose issue file holds these lines. */
const having = (...lines: ReadonlyArray<string>) =>
  Effect.tap(project, ({ file }) => Effect.sync(() => writeFileSync(file, lines.join(""))))

describe("duplicates", () => {
  const doubled = [
    line("app-a", same),
    line("app-b", same),
    line("app-c", { description: "As app-b. And app-b, but app-bb and app-b.1 are others." }),
    line("app-d", { ...same, status: "closed", closed_at: stamp }),
    line("app-e", { ...same, ...on("app-e", "app-c", "parent-child") })
  ]

  it.scopedLive(
    "the target is the one referred to most, then the smallest id; closed ones and other parents' are none",
    () =>
      Effect.gen(function* () {
        const { json, lines, run } = yield* having(...doubled)
        const before = lines()
        expect(yield* json("duplicates")).toEqual({
          duplicate_groups: 1,
          groups: [
            {
              title: "Same",
              issues: [
                { id: "app-b", title: "Same", status: "open", priority: 2, references: 2, is_merge_target: true },
                { id: "app-a", title: "Same", status: "open", priority: 2, references: 0, is_merge_target: false }
              ],
              suggested_target: "app-b",
              suggested_sources: ["app-a"],
              suggested_action: "bd close app-a && bd dep add app-a app-b --type related",
              note: "Duplicate: app-a (same content as app-b)"
            }
          ]
        })
        expect((yield* run("duplicates")).stdout).toContain("→ app-b (open, P2, 2 references)")
        expect(yield* run("duplicates", "--auto-merge", "--dry-run")).toMatchObject({
          exitCode: 0,
          stdout: expect.stringContaining("nothing was changed")
        })
        expect(lines()).toBe(before)
        // a dependency counts as a reference too
        yield* run("dep", "add", "app-c", "app-a")
        yield* run("dep", "add", "app-c", "app-a", "--type", "related")
        yield* run("update", "app-c", "-d", "No mention")
        expect((yield* json("duplicates")).groups[0].suggested_target).toBe("app-a")
      })
  )

  it.scopedLive(
    "--auto-merge closes the others with note and link, and what waited for them waits for the target",
    () =>
      Effect.gen(function* () {
        const { json, lines, run } = yield* having(
          line("app-a", same),
          line("app-b", { ...same, labels: ["kept"], x_unknown: 1.0 }),
          line("app-w", on("app-w", "app-b"))
        )
        yield* run("update", "app-a", "--notes", "n")
        const merged = yield* json("duplicates", "--auto-merge")
        // app-w depends on app-b, so app-a is the duplicate
        expect(merged.merge_results).toEqual([{ target: "app-b", closed: ["app-a"], skipped: [] }])
        const closed = (yield* json("show", "app-a"))[0]
        expect(closed).toMatchObject({ status: "closed", close_reason: "Duplicate of app-b", notes: "n" })
        expect(closed.dependencies).toMatchObject([{ id: "app-b", dependency_type: "related" }])
        expect(lines()).toContain('"close_reason":"Duplicate of app-b"')
        expect(yield* run("duplicates", "--auto-merge")).toMatchObject({
          exitCode: 0,
          stdout: "No duplicates found!\n"
        })
        expect((yield* run("duplicates", "--auto-merge", "--readonly")).exitCode).toBe(2)
      })
  )

  it.scopedLive("--auto-merge makes nothing ready that was not, and leaves alone what it cannot merge", () =>
    Effect.gen(function* () {
      const { json, run } = yield* having(
        line("app-a", same),
        line("app-b", same),
        line("app-m", { description: "app-a app-a app-a app-a" }),
        line("app-w", on("app-w", "app-b")),
        line("app-p", { title: "Epic" }),
        line("app-q", { title: "Epic", description: "What app-p is about, in some words" }),
        line("app-r", { description: "app-p app-p app-p" }),
        line("app-k", on("app-k", "app-q", "parent-child"))
      )
      const ready = (yield* json("ready", "--limit", "0")).map(({ id }: { id: string }) => id)
      expect(ready).not.toContain("app-w")
      const merged = yield* json("duplicates", "--auto-merge")
      expect(merged.merge_results).toEqual([
        { target: "app-a", closed: ["app-b"], skipped: [] },
        { target: "app-p", closed: [], skipped: [{ id: "app-q", reason: "it has children" }] }
      ])
      expect((yield* json("show", "app-w"))[0].dependencies.map(({ id }: { id: string }) => id)).toEqual([
        "app-b",
        "app-a"
      ])
      expect((yield* json("ready", "--limit", "0")).map(({ id }: { id: string }) => id)).not.toContain("app-w")
      expect((yield* run("duplicates")).stdout).toContain("app-q")
    })
  )

  it.scopedLive("G17: --auto-merge is refused while a line of the file cannot be read", () =>
    Effect.gen(function* () {
      const { file, json, lines, run } = yield* having(line("app-a", same), line("app-b", same))
      expect((yield* json("duplicates")).duplicate_groups).toBe(1)
      writeFileSync(file, `${lines()}<<<<<<< HEAD\n`)
      expect(yield* run("duplicates", "--auto-merge")).toMatchObject({ exitCode: 8 })
      expect((yield* json("list", "-s", "open")).length).toBe(2)
    })
  )
})

describe("repair-deps", () => {
  it.scopedLive("G25: dangling dependencies are kept and told; only --fix removes them", () =>
    Effect.gen(function* () {
      const { file, json, lines, run } = yield* having(
        line("app-a", on("app-a", "app-gone")),
        line("app-b", on("app-b", "app-c")),
        line("app-c"),
        line("app-d", on("app-d", "external:other:thing"))
      )
      const before = lines()
      expect(yield* json("repair-deps")).toEqual({
        orphans: [{ issue_id: "app-a", depends_on_id: "app-gone", type: "blocks" }],
        orphans_found: 1
      })
      expect((yield* run("repair-deps")).stdout).toContain("app-a: depends on app-gone (blocks)")
      // what is deleted exists: undelete finds its links
      yield* run("delete", "app-c", "--force")
      expect((yield* json("repair-deps")).orphans_found).toBe(1)
      yield* run("undelete", "app-c")
      const others = lines().split("\n").slice(1)

      writeFileSync(file, `${lines()}not json\n`)
      expect(yield* run("repair-deps", "--fix")).toMatchObject({
        exitCode: 8,
        stderr: expect.stringContaining("line 5")
      })
      writeFileSync(file, `${[before.split("\n")[0], ...others].join("\n")}`)

      expect(yield* json("repair-deps", "--fix")).toMatchObject({ orphans_found: 1, fixed: 1 })
      expect(lines().split("\n").slice(1)).toEqual(others)
      expect(lines()).not.toContain("app-gone")
      expect(yield* json("repair-deps")).toEqual({ orphans: [], orphans_found: 0 })
      const after = lines()
      expect(yield* run("repair-deps", "--fix")).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(after)
    })
  )
})

describe("validate", () => {
  it.scopedLive("exit 1 if something is found, 0 if not, 2 for a check there is none of", () =>
    Effect.gen(function* () {
      const { json, run, runWith, file, lines } = yield* having(
        line("app-a", { ...same, ...on("app-a", "app-gone") }),
        line("app-b", same),
        line("app-t", { title: "Test something", description: "" })
      )
      const found = yield* run("validate", "--json")
      expect(found.exitCode).toBe(1)
      expect(JSON.parse(found.stdout)).toEqual({
        checks: {
          orphans: {
            issue_count: 1,
            fixed_count: 0,
            failed: false,
            error: null,
            suggestions: ["Run 'bd repair-deps' to review orphaned dependencies"]
          },
          duplicates: expect.objectContaining({ issue_count: 1 }),
          pollution: expect.objectContaining({ issue_count: 1 }),
          conflicts: expect.objectContaining({ issue_count: 0, suggestions: [] })
        },
        total_issues: 3,
        total_fixed: 0,
        healthy: false
      })
      expect(yield* run("validate", "--checks", "conflicts")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("✓ git conflicts: OK")
      })
      expect(yield* run("validate", "--checks", "orphan")).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("did you mean orphans?")
      })
      writeFileSync(file, `<<<<<<< ours\n${lines()}=======\n>>>>>>> theirs\n`)
      const conflicts = JSON.parse((yield* run("validate", "--checks", "conflicts", "--json")).stdout)
      expect(conflicts.checks.conflicts.issue_count).toBe(3)
      expect(conflicts.checks.conflicts.suggestions[0]).toContain("line 1: it is a git conflict marker")
      expect((yield* runWith({ env: { BD_JSON: "1" } }, "validate", "--checks=conflicts,orphans")).exitCode).toBe(1)
      expect((yield* json("validate", "--checks", "orphans")).total_issues).toBe(1)
    })
  )
})

describe("detect-pollution", () => {
  it.scopedLive("G23: --clean --yes leaves tombstones, a preview changes nothing", () =>
    Effect.gen(function* () {
      const { at, json, lines, run } = yield* having(
        line("app-real", { title: "Test the login page thoroughly", description: "Long enough to be a real one" }),
        line("app-t1", { title: "test_one", description: "" }),
        line("app-7", { title: "Sample issue", description: "x" }),
        line("app-ok")
      )
      const before = lines()
      const found = yield* json("detect-pollution")
      expect(found).toMatchObject({ polluted_count: 3, high_confidence: 2, medium_confidence: 1 })
      expect(found.issues).toMatchObject([
        { id: "app-7", score: 1 },
        { id: "app-t1", score: 0.9, created_at: stamp },
        { id: "app-real", score: 0.7 }
      ])
      expect(yield* json("detect-pollution", "--clean")).toMatchObject({ dry_run: true, polluted_count: 3 })
      expect(lines()).toBe(before)
      expect((yield* run("detect-pollution", "--clean", "--yes", "--readonly")).exitCode).toBe(2)
      expect(yield* json("detect-pollution", "--clean", "--yes")).toMatchObject({ deleted_count: 3 })
      expect(lines().match(/"status":"tombstone"/g)).toHaveLength(3)
      expect((yield* json("list")).map(({ id }: { id: string }) => id)).toEqual(["app-ok"])
      expect(yield* run("undelete", "app-real")).toMatchObject({ exitCode: 0 })
      expect(yield* run("detect-pollution", "--clean", "--yes")).toMatchObject({ exitCode: 0 })
      // nothing else appears in .beads
      expect(
        readdirSync(path.join(at, ".beads"))
          .filter(name => /\.(jsonl|db)$/.test(name))
          .sort()
      ).toEqual(["beads.db", "issues.jsonl"])
    })
  )
})

describe("migrate and info", () => {
  it.scopedLive("migrate has nothing to do; --inspect tells version, migrations and count", () =>
    Effect.gen(function* () {
      const { json, run } = yield* having(line("app-a"))
      expect(yield* json("migrate")).toMatchObject({
        status: "success",
        current_database: "beads.db",
        migrated: false,
        version_updated: false,
        cleaned_up: false
      })
      expect((yield* run("migrate")).stdout).toContain("Nothing to do")
      expect(yield* json("migrate", "--inspect")).toMatchObject({
        registered_migrations: expect.arrayContaining([{ name: "0001_initial", description: expect.any(String) }]),
        current_state: {
          schema_version: String(SqliteSchema.version),
          issue_count: 1,
          config: { issue_prefix: "app" },
          missing_config: [],
          db_exists: true
        },
        warnings: []
      })
      expect((yield* json("info", "--schema")).schema).toEqual({
        tables: expect.arrayContaining(["issues", "dependencies", "labels", "dirty_issues"]),
        schema_version: String(SqliteSchema.version),
        config: { issue_prefix: "app" },
        sample_issue_ids: ["app-a"],
        detected_prefix: "app"
      })
    })
  )
})
