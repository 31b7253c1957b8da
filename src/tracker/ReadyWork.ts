/** What can be worked on: the same answer for those who look and for those who take. */
import * as Effect from "effect/Effect"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
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

  /** The ids of what is ready and matches, in order, as many as `limit` lets through (default: all). */
  const ready = Effect.fnUntraced(function* ({ parent, sort = "priority", ...filter }: ReadyFilter) {
    return yield* store.ready({
      ...filter,
      ...(parent === undefined ? {} : { ids: yield* below(parent) }),
      sort,
      now: (yield* context).at
    })
  })

  return { below, find: ready }
})
