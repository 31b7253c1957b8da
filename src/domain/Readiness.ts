/**
 * What can be worked on now, and what holds the rest up.
 *
 * One answer for `ready`, `blocked` and `stats`. It is computed from the rows each time, in time linear in rows and
 * dependencies: there is no cache that a path could forget to refresh.
 */
import type { Edge } from "./DependencyGraph.ts"
import * as Instant from "./Instant.ts"

/** What readiness needs to know of an issue. */
export interface Row {
  readonly id: string
  readonly status: string
  readonly priority: number
  readonly created_at: string
}

/** `priority`: urgent first. `oldest`: as created. `hybrid`: of the last two days by priority, then the older ones as created. */
export type Sort = "priority" | "oldest" | "hybrid"

const isDone = (status: string): boolean => status === "closed" || status === "tombstone"

/**
 * Of each issue that waits, those it waits for: what it `blocks`-depends on, as long as that exists and is neither
 * closed nor deleted. An issue that is done waits for nothing.
 */
export const blockers = (rows: Iterable<Row>, edges: Iterable<Edge>): ReadonlyMap<string, ReadonlySet<string>> => {
  const unfinished = new Set<string>()
  for (const row of rows) if (!isDone(row.status)) unfinished.add(row.id)
  const out = new Map<string, Set<string>>()
  for (const edge of edges) {
    if (edge.type !== "blocks" || !unfinished.has(edge.issueId) || !unfinished.has(edge.dependsOnId)) continue
    const known = out.get(edge.issueId)
    if (known === undefined) out.set(edge.issueId, new Set([edge.dependsOnId]))
    else known.add(edge.dependsOnId)
  }
  return out
}

/** The issues that cannot be worked on: those with a blocker, and all that descend from them. */
export const blocked = (rows: ReadonlyArray<Row>, edges: ReadonlyArray<Edge>): ReadonlySet<string> => {
  const status = new Map(rows.map(row => [row.id, row.status]))
  const children = new Map<string, Array<string>>()
  for (const edge of edges) {
    if (edge.type !== "parent-child") continue
    const known = children.get(edge.dependsOnId)
    if (known === undefined) children.set(edge.dependsOnId, [edge.issueId])
    else known.push(edge.issueId)
  }
  // a closed issue passes on what blocks its own parent, a deleted one does not
  const reached = new Set(blockers(rows, edges).keys())
  for (const id of reached) {
    for (const child of children.get(id) ?? []) {
      const childStatus = status.get(child)
      if (childStatus !== undefined && childStatus !== "tombstone") reached.add(child)
    }
  }
  for (const id of reached) if (isDone(status.get(id) ?? "")) reached.delete(id)
  return reached
}

/**
 * Of each issue that cannot be worked on, what it waits for in the end: its own blockers and those of the issues it
 * descends from, sorted by id.
 */
export const blockedBy = (
  rows: ReadonlyArray<Row>,
  edges: ReadonlyArray<Edge>
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const own = blockers(rows, edges)
  const known = new Set(rows.filter(({ status }) => status !== "tombstone").map(({ id }) => id))
  const parents = new Map<string, Array<string>>()
  for (const edge of edges) {
    if (edge.type !== "parent-child" || !known.has(edge.dependsOnId)) continue
    parents.set(edge.issueId, [...(parents.get(edge.issueId) ?? []), edge.dependsOnId])
  }
  const out = new Map<string, ReadonlyArray<string>>()
  for (const id of blocked(rows, edges)) {
    const way = new Set([id])
    const waitsFor = new Set<string>()
    for (const step of way) {
      for (const blocker of own.get(step) ?? []) waitsFor.add(blocker)
      for (const parent of parents.get(step) ?? []) way.add(parent)
    }
    out.set(id, [...waitsFor].sort())
  }
  return out
}

/** How long an issue counts as recent for `hybrid`, in milliseconds: two days. */
export const recentMillis = 48 * 3_600_000

/** Sorts issues as `ready` lists them. `now`, RFC 3339, is what `hybrid` counts back from. A time that cannot be read is oldest. */
export const sort = <A extends Row>(rows: ReadonlyArray<A>, by: Sort, now: string): ReadonlyArray<A> => {
  const since = (Instant.parse(now) ?? 0n) - BigInt(recentMillis) * 1_000_000n
  const keyed = rows.map(row => {
    const created = Instant.parse(row.created_at)
    const isRecent = created !== undefined && created >= since
    return {
      row,
      created,
      group: by === "hybrid" && !isRecent ? 1 : 0,
      priority: by === "priority" || (by === "hybrid" && isRecent) ? row.priority : 0
    }
  })
  const byCreated = (a: bigint | undefined, b: bigint | undefined): number =>
    a === b ? 0 : a === undefined || (b !== undefined && a < b) ? -1 : 1
  keyed.sort(
    (a, b) =>
      a.group - b.group ||
      a.priority - b.priority ||
      byCreated(a.created, b.created) ||
      (a.row.id < b.row.id ? -1 : a.row.id > b.row.id ? 1 : 0)
  )
  return keyed.map(({ row }) => row)
}

/** The issues to work on: open ones (on demand in progress, too) that nothing blocks, sorted. */
export const ready = <A extends Row>(
  rows: ReadonlyArray<A>,
  edges: ReadonlyArray<Edge>,
  options: { readonly sort: Sort; readonly now: string; readonly includeInProgress?: boolean | undefined }
): ReadonlyArray<A> => {
  const waiting = blocked(rows, edges)
  const isCandidate = ({ status }: Row) =>
    status === "open" || (options.includeInProgress === true && status === "in_progress")
  return sort(
    rows.filter(row => isCandidate(row) && !waiting.has(row.id)),
    options.sort,
    options.now
  )
}
