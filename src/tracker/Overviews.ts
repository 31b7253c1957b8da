/** The use cases that look at the project as a whole. Computed from the rows each time: nothing is kept that could be stale. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Instant from "../domain/Instant.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as Readiness from "../domain/Readiness.ts"
import { IssueFile } from "../issue-file/IssueFile.ts"
import { type AuditEvent, IssueStore, type StoreError } from "../store/IssueStore.ts"
import * as Epics from "./Epics.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Overviews = Pick<
  Tracker["Type"],
  "stats" | "epics" | "dependencyTree" | "cycles" | "history" | "historySize" | "info"
>

const nanosecondsPerSecond = 1_000_000_000n

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const file = yield* IssueFile
  const { context, find, freshen, issueFrom, issueOf, prefix } = rows
  const openEpics = Epics.find(rows).pipe(Effect.provideService(IssueStore, store))

  const issuesOf = Effect.fnUntraced(function* (ids: Iterable<string>) {
    const found = yield* store.find({ ids: [...new Set(ids)] })
    return new Map(
      yield* Effect.forEach(found.rows, row => Effect.map(issueOf(row), issue => [row.id, issue] as const))
    )
  })

  /** Hours from creation to closing, of what is closed and tells both. */
  const leadTimes = Effect.gen(function* () {
    const { parts } = yield* store.findParts({ statuses: ["closed"] }, rows =>
      rows.flatMap(row => {
        const { closed_at, created_at } = issueFrom(row)
        const [from, to] = [Instant.parse(created_at), Instant.parse(closed_at)]
        return from === undefined || to === undefined ? [] : [Number((to - from) / nanosecondsPerSecond) / 3600]
      })
    )
    return parts.flat()
  })

  /** The row of an issue, deleted or not. */
  const findAny = (id: string) =>
    find(id).pipe(
      Effect.catchTag("IssueNotFound", error =>
        find(id, "tombstones").pipe(Effect.catchTag("IssueNotFound", "AmbiguousId", () => error))
      )
    )

  /** What happened to an issue, also under the ids it had before. */
  const eventsOf = (
    id: string,
    seen: ReadonlySet<string> = new Set()
  ): Effect.Effect<ReadonlyArray<AuditEvent>, StoreError> =>
    Effect.gen(function* () {
      const own = yield* store.events(id)
      const known = new Set([...seen, id])
      const before = own.flatMap(({ oldValue, type }) =>
        type === "renamed" && oldValue !== undefined && !known.has(oldValue) ? [oldValue] : []
      )
      const earlier = yield* Effect.forEach(new Set(before), from => eventsOf(from, known))
      return [...earlier.flat(), ...own]
    })

  const overviews: Overviews = {
    stats: Effect.gen(function* () {
      yield* freshen
      const graph = yield* store.graph
      const having = (status: string) => graph.rows.filter(row => row.status === status).length
      const hours = yield* leadTimes
      const epics = yield* openEpics
      return {
        total: graph.rows.length,
        open: having("open"),
        inProgress: having("in_progress"),
        closed: having("closed"),
        blocked: Readiness.blocked(graph.rows, graph.edges).size,
        ready: Readiness.ready(graph.rows, graph.edges, { sort: "priority", now: (yield* context).at }).length,
        epicsEligibleForClosure: epics.filter(({ eligible }) => eligible).length,
        averageLeadTimeHours: hours.length === 0 ? 0 : hours.reduce((sum, each) => sum + each, 0) / hours.length
      }
    }).pipe(Effect.withSpan("Tracker.stats")),
    epics: Effect.andThen(freshen, openEpics).pipe(Effect.withSpan("Tracker.epics")),
    dependencyTree: (id, { allPaths = false, maxDepth = 50, reverse = false } = {}) =>
      Effect.gen(function* () {
        yield* freshen
        const root = yield* find(id)
        const graph = yield* store.graph
        const known = new Map(graph.rows.map(row => [row.id, row]))
        const next = new Map<string, Set<string>>()
        const types = new Map<string, Array<string>>()
        const link = (from: string, to: string) => JSON.stringify([from, to])
        for (const { dependsOnId, issueId, type } of graph.edges) {
          const [from, to] = reverse ? [dependsOnId, issueId] : [issueId, dependsOnId]
          // what does not exist, or no more, has no place in the tree
          if (!known.has(from) || !known.has(to)) continue
          next.set(from, (next.get(from) ?? new Set()).add(to))
          types.set(link(from, to), [...(types.get(link(from, to)) ?? []), type])
        }
        const typesOf = (from: string, to: string) => types.get(link(from, to)) ?? []
        const sorted = (from: string) =>
          [...(next.get(from) ?? [])].sort(
            (a, b) => (known.get(a)?.priority ?? 0) - (known.get(b)?.priority ?? 0) || (a < b ? -1 : 1)
          )
        const nodes = DependencyGraph.tree(root.id, sorted, { maxDepth, allPaths })
        const issues = yield* issuesOf(nodes.map(node => node.id))
        return nodes.flatMap(({ depth, elsewhere, id, parentId, truncated }) => {
          const issue = issues.get(id)
          if (issue === undefined) return []
          const others = elsewhere.flatMap(other => {
            const found = issues.get(other)
            return found === undefined ? [] : [{ issue: found, types: typesOf(id, other) }]
          })
          return [
            { issue, depth, parentId, types: depth === 0 ? [] : typesOf(parentId, id), truncated, elsewhere: others }
          ]
        })
      }).pipe(Effect.withSpan("Tracker.dependencyTree")),
    cycles: Effect.gen(function* () {
      yield* freshen
      const graph = yield* store.graph
      const known = new Set(graph.rows.map(({ id }) => id))
      const edges = graph.edges.filter(({ dependsOnId, issueId }) => known.has(issueId) && known.has(dependsOnId))
      const cycles = DependencyGraph.findCycles(edges)
      const issues = yield* issuesOf(cycles.flat())
      return cycles.map(cycle => cycle.slice(0, -1).flatMap(id => issues.get(id) ?? []))
    }).pipe(Effect.withSpan("Tracker.cycles")),
    history: ({ id, limit } = {}) =>
      Effect.gen(function* () {
        yield* freshen
        const last = limit !== undefined && limit > 0 ? limit : undefined
        if (id === undefined) return [...(yield* store.events(undefined, last))].reverse()
        // an issue that was let go has no row, and a history still
        const own = yield* findAny(id).pipe(
          Effect.asSome,
          Effect.catchTag("IssueNotFound", () => Effect.succeedNone)
        )
        const events = yield* eventsOf(Option.match(own, { onNone: () => id, onSome: row => row.id }))
        if (Option.isNone(own) && events.length === 0) yield* findAny(id)
        return [...events].reverse().slice(0, last)
      }).pipe(Effect.withSpan("Tracker.history")),
    historySize: Effect.andThen(freshen, store.eventCount),
    info: Effect.gen(function* () {
      yield* freshen
      const ids = yield* store.ids("issues")
      return {
        database: store.path,
        issueFile: file.path,
        issues: ids.length,
        tombstones: (yield* store.ids("tombstones")).length,
        unpublished: (yield* store.markedRows).length,
        prefix: yield* prefix,
        detectedPrefix: IssueId.commonestPrefix(ids),
        sampleIds: [...ids].sort().slice(0, 3),
        schema: yield* store.schema
      }
    }).pipe(Effect.withSpan("Tracker.info"))
  }
  return overviews
})
