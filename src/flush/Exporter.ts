/**
 * Publishes what is dirty: store → issue file.
 *
 * Contract for whoever replaces it: when `flush` succeeds, every mark that was in the store before the call stands
 * durably in the file and is cleared, unless the row changed meanwhile (G14); when it fails, nothing is cleared.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { IssueFile, IssueFileChanged, type IssueFileError } from "../issue-file/IssueFile.ts"
import type { UnreadableLine } from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock, type LockError } from "../issue-file/IssueLock.ts"
import { isPublished } from "../issue-file/Stamps.ts"
import { type FileRecord, IssueStore, type MarkedRow, type StoreError } from "../store/IssueStore.ts"
import { versionHash } from "../store/Version.ts"
import { IntegrityChecker, recordOf, stampText } from "./IntegrityChecker.ts"
import { Reconciler } from "./Reconciler.ts"

/** What one flush did. */
export interface FlushReport {
  /** `unchanged`: the bytes were already there, nothing was written. */
  readonly mode: "incremental" | "full" | "unchanged"
  /** Lines written anew. */
  readonly written: number
  /** Lines that left the file: doubles of an issue that were merged into one. */
  readonly removed: number
  /** Size of the file. */
  readonly bytes: number
  /** Milliseconds. */
  readonly duration: number
}

/** A flush did not reach the file; the change stays in the store, marked, and goes with the next flush. */
export class FlushFailed extends Schema.TaggedError<FlushFailed>()("FlushFailed", {
  /** The tag of the cause, to branch on: `LockTimeout`, `UnreadableLine`, `IssueFileFailure`, `GitAtWork`, … */
  reason: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message() {
    return `not published: ${this.detail}`
  }
}

export class Exporter extends Context.Tag("effect-beads/Exporter")<
  Exporter,
  {
    /** One flush. `full` compares every issue with its line, not only the marked ones. Safe to interrupt, safe to repeat. */
    readonly flush: (request: { readonly full: boolean }) => Effect.Effect<FlushReport, FlushFailed>
    /** Whether the store holds marks of changes not yet published, left by this process or another. */
    readonly pending: Effect.Effect<boolean, FlushFailed>
  }
>() {}

/** How a publish that another program got in the way of is tried anew: after 2, 4, … 50 ms, for 20 s. */
const whileDisturbed = Schedule.exponential("2 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.upTo("20 seconds")
)

type Cause = LockError | StoreError | IssueFileError | IssueFileChanged | UnreadableLine

const failed = (cause: Cause): FlushFailed => new FlushFailed({ reason: cause._tag, detail: cause.message, cause })

export const make = Effect.gen(function* () {
  const file = yield* IssueFile
  const lock = yield* IssueLock
  const store = yield* IssueStore
  const reconciler = yield* Reconciler
  const integrity = yield* IntegrityChecker

  /** Clears what was published, and records the bytes of the buffer, never of the file read again (G14). */
  const settle = (rows: ReadonlyArray<MarkedRow>, record: FileRecord) =>
    store.transaction(
      Effect.gen(function* () {
        yield* store.addVersions(
          rows.flatMap(({ id, line, mark }) =>
            mark === undefined || mark.base === line
              ? []
              : [
                  ...(mark.base === undefined ? [] : [{ id, line: mark.base, parents: [] }]),
                  { id, line, parents: mark.base === undefined ? [] : [versionHash(mark.base)] }
                ]
          )
        )
        yield* store.published(rows)
        yield* store.setFileRecord(record)
        yield* store.setFullExportNeeded(false)
      })
    )

  const attempt = Effect.fnUntraced(function* (asked: boolean) {
    // before anything can fail, so that the need outlives a failed flush and this process (G8)
    if (asked) yield* store.setFullExportNeeded(true)
    const { barred, missing } = yield* reconciler.reconcile
    const full = asked || missing || (yield* store.fullExportNeeded)
    const rows = yield* full ? store.rows : store.markedRows
    const nothing = { mode: "unchanged", written: 0, removed: 0, bytes: 0 } as const
    if (rows.length === 0) {
      // nothing to compare either: a full export of no issue is done
      if (full) yield* store.transaction(store.setFullExportNeeded(false))
      return nothing
    }
    const [unreadable] = barred
    if (unreadable !== undefined) return yield* unreadable

    const snapshot = yield* integrity.snapshot
    // what stands there must be what was reconciled, else it would be replaced unread
    const record = yield* store.fileRecord
    if (Option.isSome(snapshot) && (Option.isNone(record) || record.value.hash !== snapshot.value.hash)) {
      return yield* new IssueFileChanged({ path: file.path })
    }
    const before = Option.match(snapshot, { onNone: () => new Uint8Array(0), onSome: ({ bytes }) => bytes })
    const { bytes, removed, written } = IssueLines.splice(before, new Map(rows.map(({ id, line }) => [id, line])))
    if (bytes === before && Option.isSome(snapshot)) {
      yield* settle(rows, recordOf(snapshot.value))
      return { ...nothing, bytes: bytes.byteLength }
    }
    yield* lock.verify
    const replacement = yield* file.replace(snapshot, bytes)
    if (Option.isSome(replacement.displaced)) {
      // written by another program between the last look and the rename (G16): one more version, published next. Before
      // the marks go, since until then the bases are what it was written over
      yield* reconciler.absorbReplaced(replacement.displaced.value, before)
    }
    // while it is not sure to stand, nothing is cleared: what git has made of the file is read, and merged, first
    if (!replacement.contested) {
      yield* settle(rows, {
        hash: replacement.hash,
        size: bytes.byteLength,
        stamp: stampText(replacement.stamp),
        settled: isPublished(replacement.stamp, bytes.byteLength)
      })
    }
    if (replacement.contested || Option.isSome(replacement.displaced)) {
      return yield* new IssueFileChanged({ path: file.path })
    }
    return { mode: full ? "full" : "incremental", written, removed, bytes: bytes.byteLength } as const
  })

  const flush: Exporter["Type"]["flush"] = ({ full }) =>
    lock
      .withLock(
        attempt(full).pipe(
          Effect.retry({ schedule: whileDisturbed, while: error => error._tag === "IssueFileChanged" }),
          Effect.ensuring(integrity.release),
          Effect.tap(store.checkpoint)
        )
      )
      .pipe(
        Effect.mapError(failed),
        Effect.timed,
        Effect.map(([duration, report]): FlushReport => ({ ...report, duration: Duration.toMillis(duration) })),
        Effect.withSpan("Exporter.flush", { attributes: { full } })
      )

  return Exporter.of({
    flush,
    pending: Effect.all([store.hasMarks, store.fullExportNeeded]).pipe(
      Effect.map(([marks, full]) => marks || full),
      Effect.mapError(failed)
    )
  })
})

export const layer: Layer.Layer<Exporter, never, IssueFile | IssueLock | IssueStore | Reconciler | IntegrityChecker> =
  Layer.effect(Exporter, make)
