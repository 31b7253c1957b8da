/** How a caller makes sure that changes stand in the issue file (G11), and how it looks whether they do. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { FlushFailed } from "../flush/Exporter.ts"
import { FlushManager } from "../flush/FlushManager.ts"
import { IntegrityChecker } from "../flush/IntegrityChecker.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import { IssueFile } from "../issue-file/IssueFile.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock } from "../issue-file/IssueLock.ts"
import { IssueStore } from "../store/IssueStore.ts"
import type { FlushState, Tracker } from "./Tracker.ts"

type Publishing = Pick<Tracker["Type"], "flushNow" | "flushState" | "publishing">

const contents = { Unchanged: "asSeen", Changed: "changed", Missing: "missing" } as const

export const make = Effect.gen(function* () {
  const lock = yield* IssueLock
  const flush = yield* FlushManager
  const integrity = yield* IntegrityChecker
  const reconciler = yield* Reconciler
  const store = yield* IssueStore
  const file = yield* IssueFile

  /** Who asks for a flush by name is told of a file that cannot be published into, also while no change waits (G17). */
  const refuseUnreadable = lock.withLock(Effect.ensuring(reconciler.reconcile, integrity.release)).pipe(
    Effect.flatMap(({ barred: [first] }) => first ?? Effect.void),
    Effect.mapError(cause => new FlushFailed({ reason: cause._tag, detail: cause.message, cause }))
  )

  const look = Effect.gen(function* () {
    const stamp = yield* file.stamp
    const size = Option.match(stamp, { onNone: () => 0, onSome: ({ size }) => size })
    if (yield* integrity.glance) {
      return { size, content: Option.isNone(stamp) ? "missing" : "asSeen" } as const
    }
    const state = yield* lock.withLockWithin("1 second", Effect.ensuring(integrity.check, integrity.release))
    const [first] = state._tag === "Changed" ? IssueLines.read(state.snapshot.bytes).unreadable : []
    if (first !== undefined)
      return { size, content: "unreadable", problem: `line ${first.number}: ${first.reason}` } as const
    return { size, content: contents[state._tag] } as const
  })

  const publishing: Publishing = {
    flushState: Effect.gen(function* () {
      const found: Omit<FlushState["issueFile"], "path"> = yield* look.pipe(
        Effect.timeoutFail({ duration: "1 second", onTimeout: () => ({ _tag: "TooLong" }) as const }),
        Effect.catchAll(error =>
          error._tag === "StoreError" ? Effect.fail(error) : Effect.succeed({ size: 0, content: "unknown" } as const)
        )
      )
      return {
        unpublished: (yield* store.markedRows).length,
        fullExportNeeded: yield* store.fullExportNeeded,
        ...(yield* store.flushRecord),
        database: store.path,
        issueFile: { path: file.path, ...found }
      }
    }).pipe(Effect.withSpan("Tracker.flushState")),
    flushNow: (how = {}) =>
      Effect.gen(function* () {
        if (how.full === true) yield* flush.markDirty({ full: true })
        const report = yield* flush.flushNow
        if (report.mode === "unchanged") yield* refuseUnreadable
        return report
      }),
    publishing: (changes, how = {}) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* lock.hold
          const exit = yield* Effect.exit(changes)
          const nothingDone = Exit.isSuccess(exit) && how.when?.(exit.value) === false
          const failure = nothingDone
            ? Option.none()
            : yield* flush.flushNow.pipe(
                Effect.as(Option.none()),
                Effect.catchAll(error => Effect.succeedSome(error))
              )
          return { result: yield* exit, failure }
        })
      )
  }
  return publishing
})
