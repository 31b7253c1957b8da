/** The use cases that only read. Each brings the store up to date first, if that takes no long wait (G26). */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Instant from "../domain/Instant.ts"
import type * as Issue from "../domain/Issue.ts"
import * as IssueFilter from "../domain/IssueFilter.ts"
import * as Readiness from "../domain/Readiness.ts"
import { IssueStore } from "../store/IssueStore.ts"
import * as ReadyWork from "./ReadyWork.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Reads = Pick<Tracker["Type"], "show" | "list" | "ready" | "blocked" | "stale" | "labels">

/** One day in nanoseconds. */
const day = 86_400_000_000_000n

const cut = <A>(all: ReadonlyArray<A>, limit: number | undefined): ReadonlyArray<A> =>
  limit !== undefined && limit > 0 ? all.slice(0, limit) : all

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const ready = yield* ReadyWork.make(rows)
  const { context, find, freshen, issueOf, issuesOf } = rows

  const linked = (links: ReadonlyArray<{ readonly id: string; readonly type: string }>) =>
    Effect.forEach(links, ({ id, type }) =>
      Effect.flatMap(store.row(id), row =>
        Option.isNone(row)
          ? Effect.succeed([])
          : Effect.map(issueOf(row.value), issue =>
              issue.status === "tombstone" ? [] : [{ issue, dependencyType: type }]
            )
      )
    ).pipe(Effect.map(found => found.flat()))

  const reads: Reads = {
    show: id =>
      Effect.gen(function* () {
        yield* freshen
        const issue = yield* issueOf(yield* find(id))
        const dependents = yield* store.dependents(issue.id)
        return {
          issue,
          dependencies: yield* linked(issue.dependencies.map(link => ({ id: link.depends_on_id, type: link.type }))),
          dependents: yield* linked(dependents.map(edge => ({ id: edge.issueId, type: edge.type })))
        }
      }).pipe(Effect.withSpan("Tracker.show")),
    list: ({ parent, reverse, sort, ...filter }) =>
      Effect.gen(function* () {
        yield* freshen
        const below = parent === undefined ? undefined : yield* ready.below(parent, filter.ids)
        // what the store can order and cut itself, it does
        const isPlain = IssueFilter.isEmpty(filter) && sort === undefined && reverse !== true
        const { limit, ...conditions } = { ...filter, ...(below === undefined ? {} : { ids: below }) }
        const found = yield* store.find(isPlain && limit !== undefined ? { ...conditions, limit } : conditions)
        const items = yield* issuesOf(found.rows, (issue, { dependencyCount, dependentCount }) => ({
          issue,
          dependencyCount,
          dependentCount
        }))
        if (isPlain) return { items, total: found.total }
        const order = IssueFilter.compare(sort ?? "priority")
        const matching = items.filter(({ issue }) => IssueFilter.matches(filter, issue))
        matching.sort((a, b) => (reverse === true ? order(b.issue, a.issue) : order(a.issue, b.issue)))
        return { items: cut(matching, limit), total: matching.length }
      }).pipe(Effect.withSpan("Tracker.list")),
    ready: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { ids, total } = yield* ready.find({ ...filter, limit: filter.limit ?? 10 })
        const { rows } = yield* store.find({ ids })
        const items = new Map((yield* issuesOf(rows, issue => issue)).map(issue => [issue.id, issue]))
        return { items: ids.flatMap(id => items.get(id) ?? []), total }
      }).pipe(Effect.withSpan("Tracker.ready")),
    blocked: Effect.gen(function* () {
      yield* freshen
      const { edges, rows } = yield* store.graph
      const blockedBy = Readiness.blockedBy(rows, edges)
      const found = yield* store.find({ ids: [...blockedBy.keys()] })
      return yield* Effect.forEach(found.rows, row =>
        Effect.map(issueOf(row), issue => ({ issue, blockedBy: blockedBy.get(row.id) ?? [] }))
      )
    }).pipe(Effect.withSpan("Tracker.blocked")),
    stale: ({ days = 30, limit = 50, statuses }) =>
      Effect.gen(function* () {
        yield* freshen
        const { rows } = yield* store.find(statuses === undefined ? {} : { statuses })
        const since = (Instant.parse((yield* context).at) ?? 0n) - BigInt(days) * day
        const issues = yield* issuesOf(rows, issue => issue)
        const isStale = ({ status, updated_at }: Issue.Issue) =>
          (statuses !== undefined || status !== "closed") && Instant.order(Instant.parse(updated_at), since) < 0
        const matching = issues.filter(isStale).sort((a, b) => IssueFilter.compare("updated")(b, a))
        return { items: cut(matching, limit), total: matching.length }
      }).pipe(Effect.withSpan("Tracker.stale")),
    labels: Effect.andThen(freshen, store.labels)
  }
  return reads
})
