/** The use cases that only read. Each brings the store up to date first, if that takes no long wait (G26). */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Readiness from "../domain/Readiness.ts"
import { IssueStore } from "../store/IssueStore.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Reads = Pick<Tracker["Type"], "show" | "list" | "ready" | "labels">

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const { context, find, freshen, issueOf } = rows

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
    list: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { rows, total } = yield* store.find(filter)
        const items = yield* Effect.forEach(rows, row =>
          Effect.map(issueOf(row), issue => ({
            issue,
            dependencyCount: row.dependencyCount,
            dependentCount: row.dependentCount
          }))
        )
        return { items, total }
      }).pipe(Effect.withSpan("Tracker.list")),
    ready: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { edges, rows } = yield* store.graph
        const now = (yield* context).at
        const ready = Readiness.ready(rows, edges, {
          sort: filter.sort ?? "priority",
          now,
          includeInProgress: filter.includeInProgress
        }).map(({ id }) => id)
        const { assignee, labels, labelsAny, priorities } = filter
        const found = yield* store.find({
          ids: ready,
          ...(assignee === undefined ? {} : { assignee }),
          ...(labels === undefined ? {} : { labels }),
          ...(labelsAny === undefined ? {} : { labelsAny }),
          ...(priorities === undefined ? {} : { priorities })
        })
        const byId = new Map(found.rows.map(row => [row.id, row]))
        const matching = ready.flatMap(id => byId.get(id) ?? [])
        const limit = filter.limit ?? 10
        const page = limit > 0 ? matching.slice(0, limit) : matching
        return { items: yield* Effect.forEach(page, issueOf), total: matching.length }
      }).pipe(Effect.withSpan("Tracker.ready")),
    labels: Effect.andThen(freshen, store.labels)
  }
  return reads
})
