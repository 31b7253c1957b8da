/** Epics and how far they are. */
import * as Effect from "effect/Effect"
import { IssueStore } from "../store/IssueStore.ts"
import type { Rows } from "./Rows.ts"
import type { EpicStatus } from "./Tracker.ts"

/** Every epic that is not closed, by priority, the oldest first. */
export const find = Effect.fnUntraced(function* ({ issueOf }: Rows) {
  const store = yield* IssueStore
  const { edges, rows } = yield* store.graph
  const status = new Map(rows.map(row => [row.id, row.status]))
  const childrenOf = new Map<string, Set<string>>()
  for (const { dependsOnId, issueId, type } of edges) {
    if (type !== "parent-child" || !status.has(issueId)) continue
    childrenOf.set(dependsOnId, (childrenOf.get(dependsOnId) ?? new Set()).add(issueId))
  }
  const found = yield* store.find({ types: ["epic"] })
  const epics = yield* Effect.forEach(
    found.rows.filter(({ id }) => status.get(id) !== "closed"),
    row =>
      Effect.map(issueOf(row), (epic): EpicStatus => {
        const children = [...(childrenOf.get(epic.id) ?? [])]
        const closedChildren = children.filter(id => status.get(id) === "closed").length
        return {
          epic,
          children: children.length,
          closedChildren,
          eligible: children.length > 0 && closedChildren === children.length
        }
      })
  )
  return epics.sort((a, b) => a.epic.priority - b.epic.priority || (a.epic.created_at < b.epic.created_at ? -1 : 1))
})
