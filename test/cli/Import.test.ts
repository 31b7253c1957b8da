import { writeFileSync } from "node:fs"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

vi.setConfig({ testTimeout: 30_000 })

const lineOf = (lines: string, id: string) => `${lines.split("\n").find(text => text.includes(`"${id}"`))}\n`

describe("import --prune", () => {
  it.scopedLive("G19: lets no issue go whose line stands in the issue file twice", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, runWith } = yield* project
      const [one, two] = [yield* create("One"), yield* create("Two")]
      const before = lines()
      writeFileSync(file, before + lineOf(before, one))
      const ran = yield* runWith({ stdin: lineOf(before, two) }, "import", "--prune")
      expect(ran).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(before)
      expect(yield* json("list")).toHaveLength(2)
    })
  )

  it.scopedLive("G19: nor one that the input has and --skip-existing passes over", () =>
    Effect.gen(function* () {
      const { create, file, lines, runWith } = yield* project
      const [one, two] = [yield* create("One"), yield* create("Two")]
      const before = lines()
      writeFileSync(file, lineOf(before, two))
      const ran = yield* runWith({ stdin: lineOf(before, one) }, "import", "--prune", "--skip-existing")
      expect(ran).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(before)
    })
  )
})

describe("import --rename-on-import", () => {
  const at = (second: number) => `2026-01-01T00:00:0${second}Z`
  const foreign = (id: string, members: Readonly<Record<string, unknown>> = {}) =>
    `${JSON.stringify({ id, title: id.replace("-", " no "), status: "open", priority: 2, created_at: at(0), updated_at: at(1), ...members })}\n`
  const needs = (id: string, on: string) => ({ dependencies: [{ issue_id: id, depends_on_id: on, type: "blocks" }] })
  const comments = [{ id: 1, issue_id: "zz-1", author: "ann", text: "as zz-2", created_at: at(0) }]
  const two = [
    foreign("zz-1", { description: "After zz-2, see (zz-1.1).", comments, ...needs("zz-1", "zz-2") }),
    foreign("zz-1.1"),
    foreign("zz-2")
  ].join("")
  const renamed = [
    { from: "zz-1", to: "app-1" },
    { from: "zz-1.1", to: "app-1.1" },
    { from: "zz-2", to: "app-2" }
  ]
  const importing = ["import", "--rename-on-import", "--json"]

  it.scopedLive("G19: new issues get our ids; dependencies and texts follow, the old ids still find them", () =>
    Effect.gen(function* () {
      const { json, lines, runWith } = yield* project
      const ran = yield* runWith({ stdin: two }, ...importing)
      expect(JSON.parse(ran.stdout)).toMatchObject({ created: 3, updated: 0, dangling: [], prefix_renamed: renamed })
      expect((yield* json("list")).map(({ id }: { id: string }) => id).sort()).toEqual(["app-1", "app-1.1", "app-2"])
      const [issue] = yield* json("show", "zz-1")
      expect(issue).toMatchObject({
        id: "app-1",
        description: "After app-2, see (app-1.1).",
        dependencies: [{ id: "app-2" }],
        comments: [{ issue_id: "app-1", text: "as zz-2" }]
      })
      expect(lines()).toContain('"renamed_to":"app-1.1"')
    })
  )

  it.scopedLive("G19: a dry run tells the same and changes nothing", () =>
    Effect.gen(function* () {
      const { create, json, lines, runWith } = yield* project
      yield* create("One")
      const before = lines()
      const dry = JSON.parse((yield* runWith({ stdin: two }, ...importing, "--dry-run")).stdout)
      expect(dry).toMatchObject({ dry_run: true, created: 3, prefix_renamed: renamed })
      expect(lines()).toBe(before)
      expect(yield* json("list")).toHaveLength(1)
      const done = JSON.parse((yield* runWith({ stdin: two }, ...importing)).stdout)
      expect(done).toEqual({ ...dry, dry_run: false })
    })
  )

  it.scopedLive("G21, G19: once more it changes nothing, and what came since is led to the new ids", () =>
    Effect.gen(function* () {
      const { json, lines, runWith } = yield* project
      yield* runWith({ stdin: two }, ...importing)
      const before = lines()
      const again = JSON.parse((yield* runWith({ stdin: two }, ...importing)).stdout)
      expect(again).toMatchObject({ created: 0, updated: 0, unchanged: 3, prefix_renamed: [] })
      expect(lines()).toBe(before)
      const later = foreign("zz-2", { title: "Edited", updated_at: at(5) }) + foreign("zz-3", needs("zz-3", "zz-1"))
      const more = JSON.parse((yield* runWith({ stdin: later }, ...importing)).stdout)
      expect(more).toMatchObject({ created: 1, dangling: [], prefix_renamed: [{ from: "zz-3", to: "app-3" }] })
      expect((yield* json("show", "app-2"))[0]).toMatchObject({ title: "Edited" })
      expect((yield* json("show", "app-3"))[0]).toMatchObject({ dependencies: [{ id: "app-1" }] })
      expect(yield* json("list")).toHaveLength(4)
    })
  )

  it.scopedLive("G24, G25: an id that is taken is left to its issue, whatever the order of the lines", () =>
    Effect.gen(function* () {
      const input = [foreign("zz-1"), foreign("yy-1"), foreign("zz-1.1"), foreign("app-2"), foreign("zz-2")]
      const run = (stdin: string) =>
        Effect.gen(function* () {
          const { json, runWith } = yield* project
          yield* runWith({ stdin: foreign("app-1", { title: "Ours" }) }, "import")
          const ran = yield* runWith({ stdin }, ...importing)
          const titles = new Map(
            (yield* json("list")).map(({ id, title }: { id: string; title: string }) => [title, id] as const)
          )
          return { report: JSON.parse(ran.stdout), titles }
        })
      const one = yield* run(input.join(""))
      expect(one.report).toMatchObject({ created: 5, updated: 0 })
      expect([...one.titles.keys()].sort()).toEqual(["Ours", "app no 2", "yy no 1", "zz no 1", "zz no 1.1", "zz no 2"])
      expect(one.titles.get("Ours")).toBe("app-1")
      expect(one.titles.get("app no 2")).toBe("app-2")
      expect(one.titles.get("zz no 1.1")).toBe(`${one.titles.get("zz no 1")}.1`)
      expect((yield* run([...input].reverse().join(""))).titles).toEqual(one.titles)
    })
  )

  it.scopedLive("G19: without it ids stay, and --prune keeps what the input has under an old id", () =>
    Effect.gen(function* () {
      const { file, json, lines, runWith } = yield* project
      yield* runWith({ stdin: foreign("yy-7") }, "import")
      expect((yield* json("show", "yy-7"))[0]).toMatchObject({ id: "yy-7" })
      yield* runWith({ stdin: two }, ...importing)
      const before = lines()
      writeFileSync(file, before.replace(/^\{"id":"app-2".*\n/m, ""))
      expect(lines()).not.toBe(before)
      const pruned = JSON.parse((yield* runWith({ stdin: two }, ...importing, "--prune")).stdout)
      expect(pruned).toMatchObject({ pruned: [] })
      expect(lines()).toBe(before)
    })
  )
})
