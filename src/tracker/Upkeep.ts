/** The use cases that look for what should not be there, and put it right when they are asked to. */
import * as Effect from "effect/Effect"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Duplicates from "../domain/Duplicates.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as Pollution from "../domain/Pollution.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import { IssueLock } from "../issue-file/IssueLock.ts"
import { IssueStore } from "../store/IssueStore.ts"
import type { Rows } from "./Rows.ts"
import type { DanglingDependency, Tracker } from "./Tracker.ts"

type Upkeep = Pick<
  Tracker["Type"],
  "duplicates" | "mergeDuplicates" | "dangling" | "removeDangling" | "pollution" | "unreadable"
>

/** Dependencies on what another project calls its own: nothing here can tell whether it exists. */
export const isElsewhere = (id: string): boolean => id.startsWith("external:")

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const lock = yield* IssueLock
  const reconciler = yield* Reconciler
  const { changeWhole, edit, find, freshen, recordOf } = rows

  /** All issues that are alive. */
  const issues = Effect.gen(function* () {
    const all = yield* store.rows
    const records = yield* Effect.forEach(all, recordOf)
    return records.filter(record => !Issue.isTombstone(record)).map(Issue.fromRecord)
  })

  /** Only what has no row at all: a deleted issue is where its links point to, and `undelete` finds them there. */
  const findDangling = Effect.gen(function* () {
    const known = new Set([...(yield* store.ids("issues")), ...(yield* store.ids("tombstones"))])
    return (yield* issues)
      .flatMap(({ dependencies, id }) =>
        dependencies
          .filter(({ depends_on_id }) => !known.has(depends_on_id) && !isElsewhere(depends_on_id))
          .map(({ depends_on_id, type }): DanglingDependency => ({ id, dependsOn: depends_on_id, type }))
      )
      .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  })

  /**
   * Why an issue cannot be closed in favour of another; none if it can. What waits for it must wait for the other
   * instead, or it would become ready though the work is still to be done.
   */
  const obstacle = (source: string, target: string, edges: ReadonlyArray<DependencyGraph.Edge>): string | undefined => {
    const dependents = edges.filter(({ dependsOnId }) => dependsOnId === source)
    if (dependents.some(({ type }) => type === "parent-child")) return "it has children"
    for (const { issueId, type } of dependents) {
      if (!DependencyGraph.isBlocking(type)) continue
      if (issueId === target) return `${target} depends on it`
      if (DependencyGraph.findCycle(edges, issueId, target) !== undefined) {
        return `${issueId} waits for it, and ${target} waits for ${issueId}`
      }
    }
    return undefined
  }

  /** Closes one in favour of another, and leads what waits for it there. */
  const mergeInto = Effect.fnUntraced(function* (source: string, target: string) {
    const graph = yield* store.graph
    const open = new Set(graph.rows.filter(({ status }) => status !== "closed").map(({ id }) => id))
    const edges = graph.edges.filter(({ issueId }) => open.has(issueId))
    const reason = obstacle(source, target, edges)
    if (reason !== undefined) return { id: source, reason }
    const blocks = edges.filter(({ dependsOnId, type }) => dependsOnId === source && type === "blocks")
    for (const { issueId } of blocks) {
      yield* edit(yield* find(issueId), "dependency_added", [IssueChange.addDependency(target, "blocks")])
    }
    const note = `Duplicate of ${target}`
    yield* edit(
      yield* find(source),
      "closed",
      [IssueChange.addDependency(target, "related"), IssueChange.close(note)],
      note
    )
    return { id: source, reason: undefined }
  })

  const upkeep: Upkeep = {
    duplicates: Effect.andThen(freshen, Effect.map(issues, Duplicates.find)).pipe(
      Effect.withSpan("Tracker.duplicates")
    ),
    mergeDuplicates: changeWhole(
      "mergeDuplicates",
      Effect.gen(function* () {
        const groups = Duplicates.find(yield* issues)
        return yield* Effect.forEach(groups, group =>
          Effect.map(
            Effect.forEach(group.sources, ({ id }) => mergeInto(id, group.target.id)),
            results => ({
              target: group.target.id,
              closed: results.flatMap(({ id, reason }) => (reason === undefined ? [id] : [])),
              skipped: results.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }]))
            })
          )
        )
      })
    ),
    dangling: Effect.andThen(freshen, findDangling).pipe(Effect.withSpan("Tracker.dangling")),
    removeDangling: changeWhole(
      "removeDangling",
      Effect.gen(function* () {
        const found = yield* findDangling
        for (const { dependsOn, id } of found) {
          yield* edit(
            yield* find(id),
            "dependency_removed",
            [IssueChange.removeDependency(dependsOn)],
            `${dependsOn} does not exist`
          )
        }
        return found
      })
    ),
    pollution: Effect.andThen(freshen, Effect.map(issues, Pollution.find)).pipe(Effect.withSpan("Tracker.pollution")),
    unreadable: lock
      .withLockWithin(
        "1 second",
        Effect.map(reconciler.reconcile, ({ barred }) => barred)
      )
      .pipe(Effect.withSpan("Tracker.unreadable"))
  }
  return upkeep
})
