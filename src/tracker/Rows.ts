/**
 * The rows of the store as the use cases see them: found by what people type, read as issues, changed in one way.
 *
 * Every read passes `freshen`, every change `change`: what the two promise holds for all use cases (G11, G13, G26).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import { FlushManager } from "../flush/FlushManager.ts"
import { IntegrityChecker } from "../flush/IntegrityChecker.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import { IssueLock } from "../issue-file/IssueLock.ts"
import { baseOf, IssueStore, type MarkedRow, type Row, type StoreError } from "../store/IssueStore.ts"
import type { TrackerOptions } from "./Tracker.ts"

export type Rows = Effect.Effect.Success<ReturnType<typeof make>>

/** Rows, say, that are read as issues before anything else gets its turn. */
const atATime = 500

export const make = Effect.fnUntraced(function* (options: TrackerOptions) {
  const store = yield* IssueStore
  const lock = yield* IssueLock
  const integrity = yield* IntegrityChecker
  const reconciler = yield* Reconciler
  const flush = yield* FlushManager

  // what entered the store was read by the same codec
  const recordOf = (row: Row): Effect.Effect<IssueRecord.IssueRecord> =>
    Effect.sync(() => IssueLine.decodeAccepted(row.id, row.line))

  const issueFrom = (row: Row): Issue.Issue => Issue.fromRecord(IssueLine.decodeAccepted(row.id, row.line))

  const issueOf = (row: Row): Effect.Effect<Issue.Issue> => Effect.sync(() => issueFrom(row))

  /** Something made of many things, a few milliseconds at a time, so that whoever embeds this can breathe in between. */
  const inTurns = Effect.fnUntraced(function* <A, B>(all: ReadonlyArray<A>, make: (one: A) => B) {
    const made: Array<B> = []
    for (let from = 0; from < all.length; from += atATime) {
      if (from > 0) yield* Effect.yieldNow()
      for (const one of all.slice(from, from + atATime)) made.push(make(one))
    }
    return made
  })

  const prefix =
    options.prefix !== undefined
      ? Effect.succeed(options.prefix)
      : Effect.map(store.ids("issues"), ids => IssueId.commonestPrefix(ids) ?? options.fallbackPrefix())

  /** The living issue that a renamed one is now, after however many renamings. */
  const successor = Effect.fnUntraced(function* (row: MarkedRow) {
    const seen = new Set<string>()
    let record = yield* recordOf(row)
    for (let id = IdRenaming.renamedTo(record); id !== undefined && !seen.has(id); id = IdRenaming.renamedTo(record)) {
      seen.add(id)
      const next = yield* store.row(id)
      if (Option.isNone(next)) return undefined
      record = yield* recordOf(next.value)
      if (!Issue.isTombstone(record)) return next.value
    }
    return undefined
  })

  /** The row of just this id, deleted or not; the project's prefix may be left out. */
  const named = Effect.fnUntraced(function* (input: string) {
    const exact = yield* store.row(input)
    return Option.isSome(exact) ? exact : yield* store.row(`${yield* prefix}-${input}`)
  })

  /**
   * The row that is meant by what a person typed. An id that was renamed means the issue it is now; one that was deleted
   * means no other, or deleting a parent twice would delete its child.
   */
  const find = Effect.fnUntraced(function* (input: string, among: "issues" | "tombstones" = "issues") {
    const exact = yield* named(input)
    if (Option.isSome(exact)) {
      const deleted = Issue.isTombstone(yield* recordOf(exact.value))
      if (deleted === (among === "tombstones")) return exact.value
      if (deleted) {
        const renamed = yield* successor(exact.value)
        return renamed ?? (yield* new IssueId.IssueNotFound({ id: input, deleted }))
      }
    }
    const id = yield* IssueId.resolve(input, yield* store.ids(among), yield* prefix)
    const row = yield* store.row(id)
    return yield* Option.match(row, {
      onNone: () => Effect.fail(new IssueId.IssueNotFound({ id: input })),
      onSome: Effect.succeed
    })
  })

  const context = Effect.map(
    Clock.currentTimeMillis,
    (now): IssueChange.ChangeContext => ({ at: new Date(now).toISOString(), actor: options.actor })
  )

  const staleNotice = (why: string) => Effect.logWarning(`answering from the store, which may be stale: ${why}`)

  /** Brings the store up to date if that takes no long wait; else says that the answer is stale (G26). */
  const freshen: Effect.Effect<void, StoreError> =
    options.autoImport === false
      ? Effect.void
      : Effect.gen(function* () {
          if (yield* integrity.glance) return
          const { barred } = yield* lock.withLockWithin("1 second", reconciler.reconcile)
          const [first] = barred
          if (first !== undefined) yield* staleNotice(first.message)
        }).pipe(
          Effect.ensuring(integrity.release),
          Effect.catchAll(error =>
            error._tag === "StoreError" && error.isOutOfOrder ? Effect.fail(error) : staleNotice(error.message)
          )
        )

  /**
   * A change: under the lock, after a reconcile, one transaction; then the mark. When the caller is interrupted it is not
   * known whether the commit stands, so the flush manager is told in that case too. `onBarred`: what to do where a line of
   * the file cannot be read.
   */
  const changing =
    <E0>(onBarred: (first: IssueLine.UnreadableLine) => Effect.Effect<void, E0>) =>
    <A, E>(name: string, body: Effect.Effect<A, E>) =>
      lock
        .withLock(
          Effect.gen(function* () {
            const { barred } = yield* reconciler.reconcile
            const [first] = barred
            if (first !== undefined) yield* onBarred(first)
            return yield* store.transaction(body)
          })
        )
        .pipe(
          Effect.onExit(exit => (Exit.isSuccess(exit) || Exit.isInterrupted(exit) ? flush.markDirty() : Effect.void)),
          Effect.withSpan(`Tracker.${name}`)
        )

  /** A change of some issues: made in the store, to be published when the file can be read again. */
  const change = changing(first => Effect.annotateLogs(Effect.logWarning(first.message), "barred", first.line))

  /** A change that is judged by all issues together, and so cannot be by those that can be read. */
  const changeWhole = changing(Effect.fail)

  /** Issues that were not there, with their first events. */
  const saveNew = Effect.fnUntraced(function* (records: ReadonlyArray<IssueRecord.IssueRecord>) {
    yield* store.write(records.map(record => ({ record, state: { _tag: "dirty", base: undefined } })))
    yield* store.addEvents(
      records.map(record => ({
        issueId: record.id,
        type: "created",
        actor: options.actor,
        at: IssueRecord.text(record, "updated_at") ?? "",
        newValue: IssueRecord.line(record)
      }))
    )
  })

  /** Edits rows, all in one way; what changes nothing writes nothing. Gives them as they are then. */
  const editAll = Effect.fnUntraced(function* (
    rows: ReadonlyArray<MarkedRow>,
    event: string,
    edits: ReadonlyArray<IssueChange.Edit>,
    comment?: string
  ) {
    const how = yield* context
    const records = yield* Effect.forEach(rows, row =>
      Effect.map(recordOf(row), before => ({ row, before, after: IssueChange.apply(before, how, ...edits) }))
    )
    const changed = records.filter(({ after, before }) => after !== before)
    if (changed.length > 0) {
      yield* store.write(
        changed.map(({ after, row }) => ({ record: after, state: { _tag: "dirty", base: baseOf(row) } }))
      )
      yield* store.addEvents(
        changed.map(({ after, row }) => ({
          issueId: after.id,
          type: event,
          actor: options.actor,
          at: IssueRecord.text(after, "updated_at") ?? "",
          newValue: IssueRecord.line(after),
          oldValue: row.line,
          ...(comment === undefined ? {} : { comment })
        }))
      )
    }
    return records.map(({ after }) => after)
  })

  /** As `editAll`, of one. */
  const edit = (row: MarkedRow, event: string, edits: ReadonlyArray<IssueChange.Edit>, comment?: string) =>
    Effect.map(editAll([row], event, edits, comment), ([after]) => {
      if (after === undefined) throw new Error("one row has one record")
      return after
    })

  /** One issue, found by its id, edited. */
  const editOne = (name: string, id: string, event: string, edits: ReadonlyArray<IssueChange.Edit>, comment?: string) =>
    change(
      name,
      Effect.gen(function* () {
        return Issue.fromRecord(yield* edit(yield* find(id), event, edits, comment))
      })
    )

  return {
    actor: options.actor,
    prefix,
    recordOf,
    issueFrom,
    issueOf,
    inTurns,
    find,
    context,
    freshen,
    change,
    changeWhole,
    saveNew,
    editAll,
    edit,
    editOne
  }
})
