/** How a caller makes sure that changes stand in the issue file (G11). */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { FlushFailed } from "../flush/Exporter.ts"
import { FlushManager } from "../flush/FlushManager.ts"
import { IntegrityChecker } from "../flush/IntegrityChecker.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import { IssueLock } from "../issue-file/IssueLock.ts"
import type { Tracker } from "./Tracker.ts"

type Publishing = Pick<Tracker["Type"], "flushNow" | "publishing">

export const make = Effect.gen(function* () {
  const lock = yield* IssueLock
  const flush = yield* FlushManager
  const integrity = yield* IntegrityChecker
  const reconciler = yield* Reconciler

  /** Who asks for a flush by name is told of a file that cannot be published into, also while no change waits (G17). */
  const refuseUnreadable = lock.withLock(Effect.ensuring(reconciler.reconcile, integrity.release)).pipe(
    Effect.flatMap(({ barred: [first] }) => first ?? Effect.void),
    Effect.mapError(cause => new FlushFailed({ reason: cause._tag, detail: cause.message, cause }))
  )

  const publishing: Publishing = {
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
