/** The use cases that only read. Each brings the store up to date first, if that takes no long wait (G26). */
import * as Effect from "effect/Effect"
import * as Instant from "../domain/Instant.ts"
import type * as Issue from "../domain/Issue.ts"
import * as IssueFilter from "../domain/IssueFilter.ts"
import * as Readiness from "../domain/Readiness.ts"
import { type FoundRow, IssueStore, type RowFilter } from "../store/IssueStore.ts"
import * as ReadyWork from "./ReadyWork.ts"
import type { Rows } from "./Rows.ts"
import type { ListedLine, ListFilter, Tracker } from "./Tracker.ts"

type Reads = Pick<Tracker["Type"], "show" | "list" | "listParts" | "ready" | "blocked" | "stale" | "labels">

/** One day in nanoseconds. */
const day = 86_400_000_000_000n

const cut = <A>(all: ReadonlyArray<A>, limit: number | undefined): ReadonlyArray<A> =>
  limit !== undefined && limit > 0 ? all.slice(0, limit) : all

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const ready = yield* ReadyWork.make(rows)
  const { context, find, freshen, inTurns, issueFrom, issueOf } = rows

  /** The issues at the other ends, of those that live. */
  const linked = Effect.fnUntraced(function* (links: ReadonlyArray<{ readonly id: string; readonly type: string }>) {
    if (links.length === 0) return []
    const { rows } = yield* store.find({ ids: links.map(({ id }) => id) })
    const issues = new Map(rows.map(row => [row.id, issueFrom(row)] as const))
    return links.flatMap(({ id, type }) => {
      const issue = issues.get(id)
      return issue === undefined ? [] : [{ issue, dependencyType: type }]
    })
  })

  /** A class, so that `issue` is one getter for all. */
  class Listed implements ListedLine {
    readonly line: string
    readonly dependencyCount: number
    readonly dependentCount: number
    readonly #row: FoundRow
    #issue: Issue.Issue | undefined

    constructor(row: FoundRow) {
      this.line = row.line
      this.dependencyCount = row.dependencyCount
      this.dependentCount = row.dependentCount
      this.#row = row
    }

    get issue() {
      this.#issue ??= issueFrom(this.#row)
      return this.#issue
    }
  }

  const listed = (row: FoundRow): ListedLine => new Listed(row)

  /** What of it the store can answer: what descends from an issue, it is told by the ids. */
  const conditionsOf = Effect.fnUntraced(function* ({ limit: _, ...filter }: ListFilter) {
    const conditions: RowFilter =
      filter.parent === undefined ? filter : { ...filter, ids: yield* ready.below(filter.parent, filter.ids) }
    return conditions
  })

  /** Whether the store can find, order and cut what is asked for. */
  const isPlain = (filter: ListFilter): boolean =>
    IssueFilter.isEmpty(filter) && filter.sort === undefined && filter.reverse !== true

  /** Issues in their order, as many as the limit lets through, and how many match. */
  const select = Effect.fnUntraced(function* (filter: ListFilter) {
    const { limit } = filter
    const conditions = yield* conditionsOf(filter)
    if (isPlain(filter)) {
      const { rows, total } = yield* store.find(limit === undefined ? conditions : { ...conditions, limit })
      return { items: rows.map(listed), total }
    }
    const { parts } = yield* store.findParts(conditions, rows =>
      rows.map(listed).filter(({ issue }) => IssueFilter.matches(filter, issue))
    )
    const matching = parts.flat()
    const order = IssueFilter.compare(filter.sort ?? "priority")
    matching.sort((a, b) => (filter.reverse === true ? order(b.issue, a.issue) : order(a.issue, b.issue)))
    return { items: cut(matching, limit), total: matching.length }
  })

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
        const { items, total } = yield* select(filter)
        const decoded = yield* inTurns(items, ({ dependencyCount, dependentCount, issue }) => ({
          issue,
          dependencyCount,
          dependentCount
        }))
        return { items: decoded, total }
      }).pipe(Effect.withSpan("Tracker.list")),
    listParts: (filter, part) =>
      Effect.gen(function* () {
        yield* freshen
        if (!isPlain(filter) || (filter.limit !== undefined && filter.limit > 0)) {
          const { items, total } = yield* select(filter)
          return { parts: items.length === 0 ? [] : [part(items)], shown: items.length, total }
        }
        const { parts, total } = yield* store.findParts(yield* conditionsOf(filter), rows => part(rows.map(listed)))
        return { parts, shown: total, total }
      }).pipe(Effect.withSpan("Tracker.listParts")),
    ready: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { ids, total } = yield* ready.find({ ...filter, limit: filter.limit ?? 10 })
        const { rows } = yield* store.find({ ids })
        const items = new Map((yield* inTurns(rows, issueFrom)).map(issue => [issue.id, issue]))
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
        const issues = yield* inTurns(rows, issueFrom)
        const isStale = ({ status, updated_at }: Issue.Issue) =>
          (statuses !== undefined || status !== "closed") && Instant.order(Instant.parse(updated_at), since) < 0
        const matching = issues.filter(isStale).sort((a, b) => IssueFilter.compare("updated")(b, a))
        return { items: cut(matching, limit), total: matching.length }
      }).pipe(Effect.withSpan("Tracker.stale")),
    labels: Effect.andThen(freshen, store.labels)
  }
  return reads
})
