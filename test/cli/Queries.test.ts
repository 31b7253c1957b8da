import { appendFileSync, writeFileSync } from "node:fs"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

// each test runs bd a dozen times, and the machine may be busy
vi.setConfig({ testTimeout: 30_000 })

const ids = (issues: ReadonlyArray<{ readonly id: string }>) => issues.map(({ id }) => id)

describe("long lists", () => {
  it.scopedLive(
    "G33: --json is one document, harmless on a terminal, two spaces deep, however many issues there are",
    () =>
      Effect.gen(function* () {
        const { file, run } = yield* project
        for (const count of [0, 1, 500, 501, 1_000, 1_203]) {
          const issue = (i: number) =>
            JSON.stringify({
              id: `app-${String(i).padStart(4, "0")}`,
              // a control character beyond C0, an override of the direction of text, halves of a surrogate pair
              title: `Title ${i} \u009b \u202e \ud83d \ude00`,
              created_at: "2026-01-01T00:00:00Z",
              updated_at: "2026-01-01T00:00:00Z"
            })
          writeFileSync(file, Array.from({ length: count }, (_, i) => `${issue(i)}\n`).join(""))
          const { exitCode, stdout } = yield* run("list", "--json", "--limit", "0")
          expect(exitCode).toBe(0)
          const listed = JSON.parse(stdout)
          expect(ids(listed)).toEqual(Array.from({ length: count }, (_, i) => `app-${String(i).padStart(4, "0")}`))
          const shown = stdout.replace(/\\u(009b|202e)/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
          expect(shown).toBe(`${JSON.stringify(listed, undefined, 2)}\n`)
          expect(stdout).not.toMatch(/[\u007f-\u009f\u202e]|\p{Surrogate}/u)
        }
      })
  )
})

describe("hostile numbers", () => {
  it.scopedLive("G33: a priority beyond all numbers stops nobody, shows as the default, and stays in its line", () =>
    Effect.gen(function* () {
      const { create, file, json, lines } = yield* project
      const times = '"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"'
      const hostile = ["1e400", "-1e400"].map(
        (number, i) =>
          `{"id":"app-${i}","title":"T","status":"open","priority":${number},"estimated_minutes":${number},${times}}`
      )
      writeFileSync(file, `${hostile.join("\n")}\n`)
      const id = yield* create("Next to them")
      for (const command of ["list", "ready"]) {
        const listed = yield* json(command)
        expect(ids(listed).toSorted()).toEqual([id, "app-0", "app-1"].toSorted())
        for (const issue of listed) {
          expect(issue).toMatchObject({ priority: 2 })
          expect(issue).not.toHaveProperty("estimated_minutes")
        }
      }
      for (const line of hostile) expect(lines()).toContain(line)
    })
  )
})

describe("claims", () => {
  it.scopedLive(
    "G13: of many who claim one issue at once one wins, the others exit 5; the winner may claim again",
    () =>
      Effect.gen(function* () {
        const { create, json, lines, runWith } = yield* project
        const id = yield* create("Wanted")
        const actors = Array.from({ length: 8 }, (_, i) => `agent${i}`)
        const claims = yield* Effect.forEach(
          actors,
          (actor, i) =>
            runWith({ env: { BD_ACTOR: actor } }, ...(i % 2 === 0 ? ["claim", id] : ["update", id, "--claim"])),
          { concurrency: "unbounded" }
        )
        const codes = claims.map(({ exitCode }) => exitCode)
        expect(codes.filter(code => code === 0)).toHaveLength(1)
        expect(codes.filter(code => code === 5)).toHaveLength(7)
        const winner = actors[codes.indexOf(0)] ?? ""
        expect((yield* json("show", id))[0]).toMatchObject({ assignee: winner, status: "in_progress" })
        const before = lines()
        expect(yield* runWith({ env: { BD_ACTOR: winner } }, "claim", id)).toMatchObject({ exitCode: 0 })
        expect(lines()).toBe(before)
      })
  )

  it.scopedLive("G13: ready --claim at once gives each a different issue, and [] with exit 0 when none is left", () =>
    Effect.gen(function* () {
      const { create, json, run, runWith } = yield* project
      const wanted: Array<string> = []
      for (let i = 0; i < 6; i++) wanted.push(yield* create(`Work ${i}`))
      const claims = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, i) => `agent${i}`),
        actor => runWith({ env: { BD_ACTOR: actor } }, "ready", "--claim", "--json"),
        { concurrency: "unbounded" }
      )
      expect(claims.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(0))
      const got = claims.map(({ stdout }) => JSON.parse(stdout))
      expect(got.filter(issues => issues.length === 0)).toHaveLength(2)
      expect(ids(got.flat()).sort()).toEqual([...wanted].sort())
      for (const { assignee } of yield* json("list")) expect(assignee).toMatch(/^agent\d$/)
      expect(yield* run("ready", "--claim")).toEqual({ exitCode: 0, stdout: "✨ No ready work to claim\n", stderr: "" })
    })
  )

  it.scopedLive("ready --claim takes the first that matches and that nobody else has", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      yield* create("Theirs", "-p0", "-a", "bob")
      const epic = yield* create("Epic", "-p4")
      const mine = yield* create("Mine", "-p1", "-a", "ann")
      yield* create("Other", "-p1", "-l", "ui")
      const child = yield* create("Child", "-p3", "--parent", epic)
      expect(ids(yield* json("ready", "--claim", "--parent", epic))).toEqual([child])
      expect(ids(yield* json("ready", "--claim"))).toEqual([mine])
      expect(yield* json("ready", "--claim", "-a", "bob")).toEqual([])
      expect(yield* run("ready", "--claim", "--readonly")).toMatchObject({ exitCode: 2 })
      expect(yield* run("ready", "--readonly")).toMatchObject({ exitCode: 0 })
    })
  )

  it.scopedLive("a claim takes other changes along, and refuses what is closed or changed since", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const id = yield* create("Wanted")
      const [{ updated_at }] = yield* json("update", id, "--claim", "--add-label", "mine")
      expect((yield* json("show", id))[0]).toMatchObject({ assignee: "ann", labels: ["mine"] })
      yield* run("note", id, "more")
      expect(yield* run("update", id, "--claim", "--if-updated-at", updated_at)).toMatchObject({ exitCode: 5 })
      yield* run("close", id)
      expect(yield* run("claim", id)).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("closed") })
    })
  )
})

describe("short forms", () => {
  it.scopedLive("q prints the id only, also with --quiet", () =>
    Effect.gen(function* () {
      const { json, run } = yield* project
      const { stdout } = yield* run("q", "Quick", "-p1", "-q")
      expect(stdout).toMatch(/^app-\w+\n$/)
      expect((yield* json("show", stdout.trim()))[0]).toMatchObject({ title: "Quick", priority: 1 })
    })
  )

  it.scopedLive("what people type: new, view, done, link, assign, tag, note, priority, close --comment", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const a = (yield* json("new", "A")).id
      const b = yield* create("B")
      for (const words of [
        ["link", a, b],
        ["assign", a, "bob"],
        ["tag", a, "ui"],
        ["note", a, "first"],
        ["note", a, "second"],
        ["priority", a, "P0"],
        ["done", b],
        ["close", a, "--comment", "enough"]
      ]) {
        expect(yield* run(...words)).toMatchObject({ exitCode: 0 })
      }
      expect((yield* json("view", a))[0]).toMatchObject({
        assignee: "bob",
        labels: ["ui"],
        notes: "first\nsecond",
        priority: 0,
        status: "closed",
        close_reason: "enough",
        dependencies: [{ id: b, dependency_type: "blocks" }]
      })
    })
  )

  it.scopedLive("G13: paragraphs and labels added at the same time are all there", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const id = yield* create("Busy")
      const done = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => i),
        i => (i % 2 === 0 ? run("update", id, "--append-notes", `note ${i}`) : run("label", "add", id, `label${i}`)),
        { concurrency: "unbounded" }
      )
      expect(done.map(({ exitCode }) => exitCode)).toEqual(Array(10).fill(0))
      const [issue] = yield* json("show", id)
      expect(issue.notes.split("\n").sort()).toEqual([0, 2, 4, 6, 8].map(i => `note ${i}`))
      expect(issue.labels).toEqual([1, 3, 5, 7, 9].map(i => `label${i}`))
    })
  )

  it.scopedLive(
    "what is not there yet says so and exits 1, whatever follows; sync brings file and store together",
    () =>
      Effect.gen(function* () {
        const { create, file, lines, run } = yield* project
        for (const words of [
          ["daemon", "--status"],
          ["sync"],
          ["hooks", "install"],
          ["resolve", "x"],
          ["init", "--hooks"]
        ]) {
          const { exitCode, stderr } = yield* run(...words)
          expect([words, exitCode]).toEqual([words, 1])
          expect(stderr).toContain("not there yet")
        }
        yield* create("Later", "--no-auto-flush")
        expect(yield* run("sync", "--flush-only")).toMatchObject({ exitCode: 0 })
        expect(lines()).toContain("Later")
        appendFileSync(file, lines().replace(/"id":"[^"]+"/, '"id":"app-zz"'))
        expect(yield* run("sync", "--import-only")).toMatchObject({ exitCode: 0 })
        expect((yield* run("list", "--no-auto-import")).stdout).toContain("app-zz")
        appendFileSync(file, "<<<<<<< HEAD\n")
        expect(yield* run("sync", "--import-only")).toMatchObject({ exitCode: 8 })
        expect(yield* run("sync", "--flush-only")).toMatchObject({ exitCode: 8 })
      })
  )
})

describe("queries", () => {
  it.scopedLive("stats' ready is what ready --limit 0 lists; blocked names blockers, also through a parent", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const epic = yield* create("Epic", "-t", "epic")
      const blocker = yield* create("Blocker", "-p0")
      const child = yield* create("Child", "--parent", epic)
      const done = yield* create("Done", "--parent", epic)
      yield* run("dep", "add", epic, blocker)
      yield* run("close", done)
      yield* run("claim", yield* create("Running"))
      const deleted = yield* create("Deleted")
      yield* run("dep", "add", deleted, blocker)
      yield* run("delete", deleted, "--force")
      const stats = yield* json("stats")
      expect(stats).toMatchObject({
        total_issues: 5,
        open_issues: 3,
        in_progress_issues: 1,
        closed_issues: 1,
        blocked_issues: 2,
        ready_issues: 1,
        epics_eligible_for_closure: 0
      })
      expect(stats.average_lead_time_hours).toBeGreaterThanOrEqual(0)
      expect(stats.ready_issues).toBe((yield* json("ready", "--limit", "0")).length)
      expect(yield* json("status")).toEqual(stats)
      const blocked: ReadonlyArray<{ id: string; blocked_by: ReadonlyArray<string> }> = yield* json("blocked")
      expect(new Map(blocked.map(({ blocked_by, id }) => [id, blocked_by]))).toEqual(
        new Map([
          [epic, [blocker]],
          [child, [blocker]]
        ])
      )
      expect(stats.blocked_issues).toBe(blocked.length)
      // a tombstone is no dependent
      expect((yield* json("list", "--id", blocker))[0]).toMatchObject({ dependent_count: 1 })
    })
  )

  it.scopedLive("epics: how many children are closed, and closing those that are done", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const [done, open, bare] = [
        yield* create("Done", "-t", "epic"),
        yield* create("Open", "-t", "epic"),
        yield* create("Bare", "-t", "epic")
      ]
      yield* run("close", yield* create("c", "--parent", done), yield* create("d", "--parent", open))
      yield* create("e", "--parent", open)
      const status: ReadonlyArray<{ epic: { id: string } }> = yield* json("epic", "status")
      expect(status.map(({ epic, ...counts }) => [epic.id, counts])).toEqual([
        [done, { total_children: 1, closed_children: 1, eligible_for_close: true }],
        [open, { total_children: 2, closed_children: 1, eligible_for_close: false }],
        [bare, { total_children: 0, closed_children: 0, eligible_for_close: false }]
      ])
      expect(yield* json("epic", "status", "--eligible-only")).toHaveLength(1)
      expect(yield* json("epic", "close-eligible", "--dry-run")).toMatchObject([{ epic: { id: done } }])
      expect(yield* json("epic", "close-eligible")).toEqual({ closed: [done], count: 1 })
      expect(yield* json("epic", "close-eligible")).toEqual([])
      expect((yield* json("show", done))[0]).toMatchObject({ status: "closed", close_reason: "All children completed" })
    })
  )

  it.scopedLive("search, count and list filter, order and cut in one way", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const a = yield* create("Größe ändern", "-d", "needle in the text", "-l", "ui", "-p3")
      const b = yield* create("Needle", "-t", "bug", "-a", "bob", "-p1")
      const c = yield* create("Other", "--parent", b)
      expect(ids(yield* json("search", "NEEDLE"))).toEqual([b, a])
      expect(ids(yield* json("search", "größe"))).toEqual([a])
      expect(ids(yield* json("search", "needle", "-t", "bug"))).toEqual([b])
      expect(yield* json("search", "50%_")).toEqual([])
      expect(ids(yield* json("list", "--sort", "title"))).toEqual([a, b, c])
      expect(ids(yield* json("list", "--sort", "created", "--reverse"))).toEqual([a, b, c])
      expect(ids(yield* json("list", "--parent", b))).toEqual([c])
      expect(ids(yield* json("list", "--no-labels"))).toEqual([b, c])
      expect(ids(yield* json("list", "--created-after", "2100-01-01"))).toEqual([])
      expect(ids(yield* json("list", "--created-before", "2100-01-01", "--desc-contains", "Needle"))).toEqual([a])
      expect(yield* run("list", "--created-after", "soon")).toMatchObject({ exitCode: 4 })
      const cut = yield* run("list", "--sort", "id", "--limit", "1")
      expect(cut.stderr).toBe("Showing 1 of 3; --limit 0 shows all\n")
      expect((yield* run("list", "--fields", "id,type,assignee", "--id", b)).stdout).toBe(`${b}\tbug\tbob\n`)
      expect(yield* json("list", "--brief", "--id", c)).toEqual([
        { id: c, title: "Other", status: "open", priority: 2, issue_type: "task" }
      ])
      expect(yield* run("list", "--fields", "bogus")).toMatchObject({ exitCode: 4 })
      expect((yield* run("list", "--tree")).stdout.split("\n").filter(line => line.startsWith(`  ${c}`))).toHaveLength(
        1
      )
      expect((yield* run("list", "--format", "digraph")).stdout).toBe(`${c} ${b}\n`)
      expect(yield* json("count")).toEqual({ count: 3 })
      expect((yield* run("count", "-t", "bug")).stdout).toBe("1\n")
      expect(yield* json("count", "--by", "label")).toEqual({
        total: 3,
        groups: [
          { group: "(no labels)", count: 2 },
          { group: "ui", count: 1 }
        ]
      })
    })
  )

  it.scopedLive("stale lists what waited longest first", () =>
    Effect.gen(function* () {
      const { file, json, run } = yield* project
      const line = (id: string, status: string, year: number) =>
        `{"id":"${id}","title":"${id}","status":"${status}","priority":2,"issue_type":"task","created_at":"2020-01-01T00:00:00Z","updated_at":"${year}-01-01T00:00:00Z"${status === "closed" ? `,"closed_at":"${year}-01-01T00:00:00Z"` : ""}}\n`
      writeFileSync(
        file,
        line("a", "open", 2022) + line("b", "in_progress", 2021) + line("c", "closed", 2020) + line("d", "open", 2999)
      )
      expect(ids(yield* json("stale"))).toEqual(["b", "a"])
      expect(ids(yield* json("stale", "--status", "open"))).toEqual(["a"])
      expect(ids(yield* json("stale", "--limit", "1"))).toEqual(["b"])
      expect(ids(yield* json("stale", "--days", "100000"))).toEqual([])
      expect((yield* run("stale", "--days", "9999999")).stdout).toContain("No stale issues")
    })
  )

  it.scopedLive("the tree of dependencies: each below what leads to it, once or on all ways, cut where asked", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const d = yield* create("D")
      const b = yield* create("B", "--blocked-by", d)
      const c = yield* create("C", "-p1", "--blocked-by", d)
      const a = yield* create('A "quoted"', "--blocked-by", `${b},${c}`)
      type Node = { id: string; depth: number; parent_id: string; truncated: boolean }
      const shape = (nodes: ReadonlyArray<Node>) => nodes.map(({ depth, id, parent_id }) => [id, depth, parent_id])
      expect(shape(yield* json("dep", "tree", a))).toEqual([
        [a, 0, a],
        [c, 1, a],
        [d, 2, c],
        [b, 1, a]
      ])
      expect(shape(yield* json("dep", "tree", a, "--show-all-paths"))).toHaveLength(5)
      expect(shape(yield* json("dep", "tree", d, "--reverse")).map(([id]) => id)).toEqual([d, c, a, b])
      const cut: ReadonlyArray<Node> = yield* json("dep", "tree", a, "--max-depth", "1")
      expect(cut.filter(({ truncated }) => truncated).map(({ id }) => id)).toEqual([c, b])
      expect((yield* run("dep", "tree", a, "--format", "mermaid")).stdout).toContain(
        `flowchart TD\n  ${a}["☐ ${a}: A #34;quoted#34;"]\n`
      )
      expect((yield* run("dep", "tree", d)).stdout).toBe(`\n${d} has no dependencies\n`)
    })
  )

  it.scopedLive("cycles that came with the file are listed", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, run } = yield* project
      const a = yield* create("A")
      const b = yield* create("B", "--blocked-by", a)
      expect(yield* json("dep", "cycles")).toEqual([])
      writeFileSync(
        file,
        lines().replace(
          '"title":"A"',
          `"title":"A","dependencies":[{"issue_id":"${a}","depends_on_id":"${b}","type":"blocks"}]`
        )
      )
      const cycles: ReadonlyArray<ReadonlyArray<{ id: string }>> = yield* json("dep", "cycles")
      expect(cycles.map(cycle => ids(cycle).sort())).toEqual([[a, b].sort()])
      expect((yield* run("dep", "cycles")).stdout).toContain("Found 1 dependency cycle:")
      expect(yield* json("dep", "tree", a)).toHaveLength(2)
      expect(yield* json("dep", "tree", a, "--show-all-paths")).toHaveLength(2)
    })
  )

  it.scopedLive("history and log: the newest first, deleted issues too", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      const a = yield* create("A")
      yield* create("B")
      yield* run("close", a, "-r", "done")
      yield* run("delete", a, "--force")
      type Event = { issue_id: string; event_type: string; actor: string }
      const types = (events: ReadonlyArray<Event>) => events.map(({ event_type }) => event_type)
      expect(types(yield* json("history", a))).toEqual(["deleted", "closed", "created"])
      expect(types(yield* json("log"))).toEqual(["deleted", "closed", "created", "created"])
      expect(types(yield* json("log", "--limit", "1"))).toEqual(["deleted"])
      expect((yield* run("history", a)).stdout).toContain(`${a} closed by ann (status, closed_at, close_reason): done`)
      expect(yield* run("history", "nope")).toMatchObject({ exitCode: 3 })
    })
  )

  it.scopedLive("info, where and config tell of this repository; what config sets is read back as it was", () =>
    Effect.gen(function* () {
      const { at, create, json, run } = yield* project
      const id = yield* create("A")
      expect(yield* json("info", "--schema")).toMatchObject({
        database_path: `${at}/.beads/beads.db`,
        issue_count: 1,
        mode: "direct",
        daemon_connected: false,
        config: { "issue-prefix": "app" },
        schema: { sample_issue_ids: [id], detected_prefix: "app", config: { issue_prefix: "app" } }
      })
      expect(yield* json("where")).toMatchObject({ path: `${at}/.beads`, prefix: "app" })
      for (const value of ['a "b" # c', "'q'", "two\nlines\\", "", "*.ts: x"]) {
        expect(yield* run("config", "set", "jira.url", "--", value)).toMatchObject({ exitCode: 0 })
        expect(yield* json("config", "get", "jira.url")).toEqual({ key: "jira.url", value })
      }
      expect(yield* json("config", "list")).toEqual({ "issue-prefix": "app", "jira.url": "*.ts: x" })
      yield* run("config", "unset", "jira.url")
      expect((yield* run("config", "get", "jira.url")).stdout).toBe("jira.url (not set)\n")
      expect(yield* run("config", "set", "no key", "x")).toMatchObject({ exitCode: 4 })
      expect(yield* run("config", "set", "issue_prefix", "a b")).toMatchObject({ exitCode: 4 })
      expect(yield* run("config", "set", "issue_prefix", "new")).toMatchObject({ exitCode: 0 })
      expect(yield* create("B")).toMatch(/^new-/)
    })
  )
})
