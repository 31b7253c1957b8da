import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Edge } from "../../src/domain/DependencyGraph.ts"
import * as Readiness from "../../src/domain/Readiness.ts"

const now = "2026-03-10T00:00:00.000Z"

const row = (id: string, status = "open", rest: Partial<Readiness.Row> = {}): Readiness.Row => ({
  id,
  status,
  priority: 2,
  created_at: "2026-03-01T00:00:00Z",
  ...rest
})
const edge = (issueId: string, dependsOnId: string, type = "blocks"): Edge => ({ issueId, dependsOnId, type })
const ready = (
  rows: ReadonlyArray<Readiness.Row>,
  edges: ReadonlyArray<Edge> = [],
  options: { readonly sort?: Readiness.Sort; readonly includeInProgress?: boolean } = {}
) => Readiness.ready(rows, edges, { sort: "priority", now, ...options }).map(({ id }) => id)

describe("Readiness.ready", () => {
  it("contract: open issues; in progress only on demand; no other status", () => {
    const statuses = ["open", "in_progress", "blocked", "deferred", "closed", "tombstone", "hooked", ""]
    const rows = statuses.map(status => row(status, status))
    expect(ready(rows)).toEqual(["open"])
    expect(ready(rows, [], { includeInProgress: true })).toEqual(["in_progress", "open"])
  })

  it("contract: a target blocks until it is closed; a tombstone or a missing one blocks nothing", () => {
    for (const status of ["open", "in_progress", "blocked", "deferred", "hooked"]) {
      expect(ready([row("a"), row("t", status)], [edge("a", "t")])).not.toContain("a")
    }
    for (const status of ["closed", "tombstone"]) {
      expect(ready([row("a"), row("t", status)], [edge("a", "t")])).toEqual(["a"])
    }
    expect(ready([row("a")], [edge("a", "gone")])).toEqual(["a"])
  })

  it("contract: only `blocks` blocks directly", () => {
    for (const type of ["parent-child", "related", "discovered-from", "replies-to", ""]) {
      expect(ready([row("a"), row("t")], [edge("a", "t", type)])).toEqual(["a", "t"])
    }
  })

  it("contract: a blocked parent blocks its descendants, and nothing else", () => {
    const rows = ["epic", "child", "grand", "other", "friend"].map(id => row(id)).concat(row("t", "in_progress"))
    const edges = [
      edge("epic", "t"),
      edge("child", "epic", "parent-child"),
      edge("grand", "child", "parent-child"),
      edge("friend", "child", "related")
    ]
    expect(ready(rows, edges)).toEqual(["friend", "other"])
    expect(ready(rows, [edge("child", "t"), edge("child", "epic", "parent-child")])).toContain("epic")
  })

  it("contract: blocking passes through a closed child, not through a closed or deleted ancestor's own blocker", () => {
    const family = [edge("child", "epic", "parent-child"), edge("grand", "child", "parent-child")]
    const blockedEpic = [edge("epic", "t"), ...family]
    const rows = (epic: string, child: string) => [
      row("epic", epic),
      row("child", child),
      row("grand"),
      row("t", "blocked")
    ]
    expect(ready(rows("open", "closed"), blockedEpic)).toEqual([])
    expect(ready(rows("open", "tombstone"), blockedEpic)).toEqual(["grand"])
    expect(ready(rows("closed", "open"), blockedEpic)).toEqual(["child", "grand"])
  })

  it("contract: cycles that others made end", () => {
    const rows = [row("a"), row("b"), row("c")]
    expect(ready(rows, [edge("a", "b"), edge("b", "a")])).toEqual(["c"])
    expect(ready(rows, [edge("a", "b", "parent-child"), edge("b", "a", "parent-child"), edge("a", "c")])).toEqual(["c"])
  })

  it("contract: agrees with the definition on random graphs", () => {
    const ids = [...Array(6).keys()].map(String)
    const statuses = FastCheck.array(FastCheck.constantFrom("open", "closed", "tombstone", "deferred"), {
      minLength: 6,
      maxLength: 6
    })
    const edges = FastCheck.array(
      FastCheck.tuple(
        FastCheck.constantFrom(...ids),
        FastCheck.constantFrom(...ids, "missing"),
        FastCheck.constantFrom("blocks", "parent-child", "related")
      ).map(([from, to, type]) => edge(from, to, type)),
      { maxLength: 10 }
    )
    FastCheck.assert(
      FastCheck.property(statuses, edges, (statuses, edges) => {
        const statusOf = (id: string) => statuses[Number(id)]
        const isLive = (id: string) => statusOf(id) !== undefined && statusOf(id) !== "tombstone"
        const isUnfinished = (id: string) => isLive(id) && statusOf(id) !== "closed"
        const isHeldUp = (id: string, depth = 0): boolean =>
          depth <= 6 &&
          isLive(id) &&
          edges.some(
            ({ dependsOnId, issueId, type }) =>
              issueId === id &&
              ((type === "blocks" && isUnfinished(id) && isUnfinished(dependsOnId)) ||
                (type === "parent-child" && isHeldUp(dependsOnId, depth + 1)))
          )
        const rows = ids.map(id => row(id, statusOf(id)))
        expect(ready(rows, edges)).toEqual(ids.filter(id => statusOf(id) === "open" && !isHeldUp(id)))
        expect([...Readiness.blocked(rows, edges)].sort()).toEqual(ids.filter(id => isUnfinished(id) && isHeldUp(id)))
      }),
      { numRuns: 500 }
    )
  })

  it("contract: linear: 20,000 issues in one line of parents, 10,000 blockers of one issue", () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => row(`i${i}`))
    const chain = rows.slice(1).map((child, i) => edge(child.id, `i${i}`, "parent-child"))
    expect(ready(rows, [...chain, edge("i0", "i19999")])).toEqual([])
    const fan = rows.slice(1, 10_001).map(({ id }) => edge("i0", id))
    expect(Readiness.blockers(rows, [...fan, ...fan]).get("i0")?.size).toBe(10_000)
  })
})

describe("Readiness.blockers", () => {
  it("contract: direct blockers only, once each, of what is not done", () => {
    const rows = [row("a"), row("b"), row("c", "closed"), row("child"), row("done", "closed")]
    const edges = [
      edge("a", "b"),
      edge("a", "b"),
      edge("a", "c"),
      edge("child", "a", "parent-child"),
      edge("done", "b"),
      edge("a", "gone")
    ]
    expect(Readiness.blockers(rows, edges)).toEqual(new Map([["a", new Set(["b"])]]))
    expect(Readiness.blocked(rows, edges)).toEqual(new Set(["a", "child"]))
  })
})

describe("Readiness.sort", () => {
  const rows = [
    row("old-p2", "open", { priority: 2, created_at: "2026-01-01T00:00:00Z" }),
    row("old-p0", "open", { priority: 0, created_at: "2026-02-01T00:00:00Z" }),
    row("new-p2", "open", { priority: 2, created_at: "2026-03-09T00:00:00Z" }),
    row("new-p1", "open", { priority: 1, created_at: "2026-03-09T12:00:00Z" })
  ]

  it("contract: by priority, then oldest, then id", () => {
    expect(ready(rows)).toEqual(["old-p0", "new-p1", "old-p2", "new-p2"])
    expect(ready([row("b"), row("a"), row("c", "open", { created_at: "2026-02-01T00:00:00Z" })])).toEqual([
      "c",
      "a",
      "b"
    ])
  })

  it("contract: oldest by creation, hybrid takes the last 48 hours by priority first", () => {
    expect(ready(rows, [], { sort: "oldest" })).toEqual(["old-p2", "old-p0", "new-p2", "new-p1"])
    expect(ready(rows, [], { sort: "hybrid" })).toEqual(["new-p1", "new-p2", "old-p2", "old-p0"])
    const edges = ["2026-03-08T00:00:00Z", "2026-03-07T23:59:59.999999999Z"].map((created_at, i) =>
      row(`${i}`, "open", { created_at, priority: i === 0 ? 4 : 0 })
    )
    expect(ready(edges, [], { sort: "hybrid" })).toEqual(["0", "1"])
  })

  it("contract: times are compared as instants, not as text", () => {
    const times = ["2026-03-01T00:00:00+02:00", "2026-02-28T22:30:00Z", "2026-02-28T22:30:00.000000001Z", "never"]
    const some = times.map((created_at, i) => row(`${i}`, "open", { created_at }))
    expect(ready(some, [], { sort: "oldest" })).toEqual(["3", "0", "1", "2"])
  })
})
