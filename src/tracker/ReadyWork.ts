/** What can be worked on: the same answer for those who look and for those who take. */
import * as Effect from "effect/Effect"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Readiness from "../domain/Readiness.ts"
import { IssueStore } from "../store/IssueStore.ts"
import type { Rows } from "./Rows.ts"
import type { ReadyFilter } from "./Tracker.ts"

export const make = Effect.fnUntraced(function* ({ context, find }: Rows) {
  const store = yield* IssueStore

  /** The ids of what descends from an issue; of `ids`, if given, only those. */
  const below = Effect.fnUntraced(function* (parent: string, ids?: ReadonlyArray<string>) {
    const { id } = yield* find(parent)
    const { edges } = yield* store.graph
    const reached = DependencyGraph.descendants(edges, id)
    return ids === undefined ? [...reached] : ids.filter(one => reached.has(one))
  })

  /** The ids of all that is ready and matches, in order. */
  const ready = Effect.fnUntraced(function* ({ includeInProgress, limit: _, parent, sort, ...filter }: ReadyFilter) {
    const { edges, rows } = yield* store.graph
    const ids = Readiness.ready(rows, edges, {
      sort: sort ?? "priority",
      now: (yield* context).at,
      includeInProgress
    }).map(({ id }) => id)
    const descending = parent === undefined ? ids : yield* below(parent, ids)
    if (Object.values(filter).every(condition => condition === undefined)) return descending
    const matching = new Set(yield* store.matching(filter))
    return descending.filter(id => matching.has(id))
  })

  return { below, find: ready }
})
