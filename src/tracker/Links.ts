/** The use cases that hang something on an issue: dependencies, labels, comments. */
import * as Effect from "effect/Effect"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import { IssueStore } from "../store/IssueStore.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Links = Pick<Tracker["Type"], "addDependency" | "removeDependency" | "addLabel" | "removeLabel" | "addComment">

/** Blocking dependencies must not wait for one another. */
export const refuseCycle = (
  edges: ReadonlyArray<DependencyGraph.Edge>,
  added: DependencyGraph.Edge
): Effect.Effect<void, Issue.CycleFound> => {
  if (!DependencyGraph.isBlocking(added.type)) return Effect.void
  const path = DependencyGraph.findCycle(edges, added.issueId, added.dependsOnId)
  return path === undefined ? Effect.void : Effect.fail(new Issue.CycleFound({ path }))
}

/** Nothing depends on itself. */
export const refuseSelf = (id: string, dependsOn: string) =>
  id === dependsOn
    ? Effect.fail(new Issue.InvalidValue({ field: "dependency", value: dependsOn, rule: "another issue, not itself" }))
    : Effect.void

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const { change, edit, editOne, find, recordOf } = rows

  const links: Links = {
    addDependency: (id, dependsOn, type) =>
      change(
        "addDependency",
        Effect.gen(function* () {
          const kind = yield* Issue.decodeDependencyType(type)
          const row = yield* find(id)
          const target = yield* find(dependsOn)
          yield* refuseSelf(row.id, target.id)
          const { edges } = yield* store.graph
          if (!edges.some(edge => edge.issueId === row.id && edge.dependsOnId === target.id && edge.type === kind)) {
            yield* refuseCycle(edges, { issueId: row.id, dependsOnId: target.id, type: kind })
          }
          const after = yield* edit(
            row,
            "dependency_added",
            [IssueChange.addDependency(target.id, kind)],
            `${row.id} ${kind} ${target.id}`
          )
          return { id: row.id, dependsOn: target.id, changed: IssueRecord.line(after) !== row.line }
        })
      ),
    removeDependency: (id, dependsOn, type) =>
      change(
        "removeDependency",
        Effect.gen(function* () {
          const row = yield* find(id)
          // a dependency may dangle: then its target is known by the line alone
          const named = Issue.dependenciesOf(yield* recordOf(row)).some(link => link.depends_on_id === dependsOn)
          const target = named ? dependsOn : (yield* find(dependsOn)).id
          const after = yield* edit(
            row,
            "dependency_removed",
            [IssueChange.removeDependency(target, type)],
            `${row.id} no longer depends on ${target}`
          )
          return { id: row.id, dependsOn: target, changed: IssueRecord.line(after) !== row.line }
        })
      ),
    addLabel: (id, label) =>
      Effect.flatMap(Issue.decodeLabel(label), checked =>
        editOne("addLabel", id, "label_added", [IssueChange.addLabel(checked)], checked)
      ),
    removeLabel: (id, label) => editOne("removeLabel", id, "label_removed", [IssueChange.removeLabel(label)], label),
    addComment: (id, text, how = {}) =>
      change(
        "addComment",
        Effect.gen(function* () {
          const checked = yield* Issue.decodeCommentText(text)
          const after = yield* edit(
            yield* find(id),
            "commented",
            [IssueChange.addComment(checked, how.author)],
            checked
          )
          const added = Issue.commentsOf(after).at(-1)
          return yield* added === undefined
            ? Effect.dieMessage("the comment is not in the line")
            : Effect.succeed(added)
        })
      )
  }
  return links
})
