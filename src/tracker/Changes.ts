/** The use cases that change issues themselves: edited, closed, deleted. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Instant from "../domain/Instant.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import { IssueStore, type MarkedRow } from "../store/IssueStore.ts"
import { Conflict } from "./Conflict.ts"
import * as Epics from "./Epics.ts"
import { refuseCycle, refuseSelf } from "./Links.ts"
import * as ReadyWork from "./ReadyWork.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Changes = Pick<
  Tracker["Type"],
  "update" | "claim" | "claimReady" | "close" | "closeEligibleEpics" | "reopen" | "delete" | "undelete"
>

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const ready = yield* ReadyWork.make(rows)
  const { actor, change, edit, editAll, editOne, find, issueOf, recordOf } = rows

  /** What a claim sets. */
  const claimed: Issue.IssueUpdate = { assignee: actor, status: "in_progress" }

  /** Compare, before the set: both happen in one transaction, so of several who try at once one wins. */
  const refuseClaimed = ({ assignee = "", id, status }: Issue.Issue) =>
    assignee !== "" && assignee !== actor
      ? Effect.fail(new Conflict({ id, detail: `already claimed by ${assignee}` }))
      : status === "closed"
        ? Effect.fail(new Conflict({ id, detail: "it is closed" }))
        : Effect.void

  const claimReady: Changes["claimReady"] = filter =>
    change(
      "claimReady",
      Effect.gen(function* () {
        const { limit: _, ...wanted } = filter
        for (const id of (yield* ready.find(wanted)).ids) {
          const row = yield* find(id)
          const { assignee = "", status } = yield* issueOf(row)
          // what the actor has in progress is not taken anew: the next one is
          if (assignee !== "" && (assignee !== actor || status === "in_progress")) continue
          return Option.some(Issue.fromRecord(yield* edit(row, "claimed", [IssueChange.update(claimed)])))
        }
        return Option.none()
      })
    )

  const update: Changes["update"] = (id, asked) =>
    change(
      "update",
      Effect.gen(function* () {
        const decoded = yield* Issue.decodeIssueUpdate(asked)
        const row = yield* find(id)
        const before = yield* issueOf(row)
        if (asked.claim === true) yield* refuseClaimed(before)
        const fields = asked.claim === true ? { ...decoded, ...claimed } : decoded
        if (asked.ifUpdatedAt !== undefined) {
          const expected = Instant.parse(asked.ifUpdatedAt)
          if (expected === undefined) {
            return yield* new Issue.InvalidValue({
              field: "if-updated-at",
              value: asked.ifUpdatedAt,
              rule: "a time stamp as RFC 3339 writes it"
            })
          }
          if (Instant.parse(before.updated_at) !== expected) {
            return yield* new Conflict({ id: row.id, detail: `it was changed since, at ${before.updated_at}` })
          }
        }
        const edits: Array<IssueChange.Edit> = [IssueChange.update(fields)]
        if (asked.appendNotes !== undefined) edits.push(IssueChange.appendNotes(asked.appendNotes))
        if (asked.setLabels !== undefined) {
          edits.push(IssueChange.setLabels(yield* Effect.forEach(asked.setLabels, label => Issue.decodeLabel(label))))
        }
        if (asked.addLabels !== undefined) {
          edits.push(IssueChange.addLabels(yield* Effect.forEach(asked.addLabels, label => Issue.decodeLabel(label))))
        }
        if (asked.removeLabels !== undefined) edits.push(IssueChange.removeLabels(asked.removeLabels))
        if (asked.parent !== undefined) {
          const parent = asked.parent === "" ? "" : (yield* find(asked.parent)).id
          if (parent !== "") {
            yield* refuseSelf(row.id, parent)
            const { edges } = yield* store.graph
            const others = edges.filter(edge => edge.issueId !== row.id || edge.type !== "parent-child")
            yield* refuseCycle(others, { issueId: row.id, dependsOnId: parent, type: "parent-child" })
          }
          edits.push(IssueChange.setParent(parent))
        }
        const status = fields.status
        const event =
          asked.claim === true
            ? "claimed"
            : status === undefined || status === before.status
              ? "updated"
              : status === "closed"
                ? "closed"
                : before.status === "closed"
                  ? "reopened"
                  : "status_changed"
        return Issue.fromRecord(yield* edit(row, event, edits))
      })
    )

  const remove: Changes["delete"] = (ids, how = {}) =>
    change(
      "delete",
      Effect.gen(function* () {
        const graph = yield* store.graph
        const wanted = new Map<string, MarkedRow>()
        const already = new Set<string>()
        for (const id of ids) {
          const row = yield* find(id).pipe(
            // just this issue was deleted: what is asked for is so already
            Effect.catchIf(
              error => error._tag === "IssueNotFound" && error.deleted === true,
              () => find(id, "tombstones")
            )
          )
          if (Issue.isTombstone(yield* recordOf(row))) already.add(row.id)
          else wanted.set(row.id, row)
        }
        if (how.cascade === true) {
          const alive = new Set(graph.rows.map(({ id }) => id))
          const dependents = new Map<string, Array<string>>()
          for (const { dependsOnId, issueId } of graph.edges) {
            if (!alive.has(issueId)) continue
            const others = dependents.get(dependsOnId)
            if (others === undefined) dependents.set(dependsOnId, [issueId])
            else others.push(issueId)
          }
          // a set is gone through with what is added to it meanwhile
          const reached = new Set(wanted.keys())
          for (const id of reached) for (const other of dependents.get(id) ?? []) reached.add(other)
          for (const row of yield* store.rowsOf([...reached])) wanted.set(row.id, row)
        }
        if (how.dryRun !== true) {
          yield* editAll([...wanted.values()], "deleted", [IssueChange.remove(how.reason)], how.reason)
        }
        // other issues are left alone: a tombstone blocks nothing, and undelete finds its links where they were
        return { deleted: [...wanted.keys()], already: [...already], dependenciesRemoved: 0 }
      })
    )

  const changes: Changes = {
    update,
    claim: id => update(id, { claim: true }),
    claimReady,
    closeEligibleEpics: change(
      "closeEligibleEpics",
      Effect.gen(function* () {
        const epics = yield* Epics.find(rows)
        const eligible = epics.flatMap(({ eligible, epic }) => (eligible ? [epic.id] : []))
        const reason = "All children completed"
        const closed = yield* editAll(yield* store.rowsOf(eligible), "closed", [IssueChange.close(reason)], reason)
        return closed.map(Issue.fromRecord)
      }).pipe(Effect.provideService(IssueStore, store))
    ),
    close: (id, how = {}) => editOne("close", id, "closed", [IssueChange.close(how.reason)], how.reason),
    reopen: (id, how = {}) => editOne("reopen", id, "reopened", [IssueChange.reopen], how.reason),
    delete: remove,
    undelete: id =>
      change(
        "undelete",
        Effect.gen(function* () {
          const alive = yield* store.row(id)
          if (Option.isSome(alive) && !Issue.isTombstone(yield* recordOf(alive.value)))
            return yield* issueOf(alive.value)
          const row = yield* find(id, "tombstones").pipe(
            // what lives needs nothing done, by whatever part of its id it is named
            Effect.catchTag("IssueNotFound", error => Effect.orElseFail(find(id), () => error))
          )
          const renamed = IdRenaming.renamedTo(yield* recordOf(row))
          if (renamed !== undefined) {
            return yield* new Conflict({ id: row.id, detail: `it was not deleted but renamed, and is now ${renamed}` })
          }
          return Issue.fromRecord(yield* edit(row, "undeleted", [IssueChange.undelete]))
        })
      )
  }
  return changes
})
