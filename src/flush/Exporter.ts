/**
 * Publishes what is dirty: store → issue file.
 *
 * Contract for whoever replaces it: when `flush` succeeds, every mark that was in the store before the call stands
 * durably in the file and is cleared, unless the row changed meanwhile (G14); when it fails, nothing is cleared.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { flow } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { IssueFile, IssueFileChanged, type IssueFileError, type Replacement } from "../issue-file/IssueFile.ts"
import type { UnreadableLine } from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock, type LockError } from "../issue-file/IssueLock.ts"
import { isPublished } from "../issue-file/Stamps.ts"
import * as Metrics from "../Metrics.ts"
import { type FileRecord, IssueStore, type MarkedRow, type StoreError } from "../store/IssueStore.ts"
import { versionHash } from "../store/Version.ts"
import { IntegrityChecker, recordOf, stampText } from "./IntegrityChecker.ts"
import * as Progress from "./Progress.ts"
import { type Before, Reconciler } from "./Reconciler.ts"

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

type Problem = LockError | StoreError | IssueFileError | IssueFileChanged | UnreadableLine

/** A file that was replaced. */
interface Published {
  readonly replacement: Replacement
  readonly size: number
  readonly written: number
  readonly removed: number
  /** What the replaced file held when it was read. */
  readonly before: Before
}

/** What became of a flush, as tags and as attributes of its span. */
const outcome = (exit: Exit.Exit<Omit<FlushReport, "duration">, FlushFailed>): Readonly<Record<string, string>> =>
  Exit.match(exit, {
    onSuccess: ({ mode }) => ({ outcome: mode }),
    onFailure: cause =>
      Cause.isInterruptedOnly(cause)
        ? { outcome: "interrupted" }
        : {
            outcome: "failed",
            reason: Option.match(Cause.failureOption(cause), { onNone: () => "Defect", onSome: error => error.reason })
          }
  })

const count = Effect.fnUntraced(function* (
  duration: Duration.Duration,
  exit: Exit.Exit<Omit<FlushReport, "duration">, FlushFailed>
) {
  const tags = Object.entries(outcome(exit)).map(([key, value]) => MetricLabel.make(key, value))
  yield* Metric.increment(Metric.taggedWithLabels(Metrics.flushes, tags))
  yield* Metric.update(Metric.taggedWithLabels(Metrics.flushDuration, tags), duration)
  if (Exit.isFailure(exit)) return
  const { bytes, mode, removed, written } = exit.value
  if (mode !== "unchanged") {
    yield* Metric.update(Metrics.flushIssues, written)
    yield* Metric.incrementBy(Metrics.flushBytes, bytes)
  }
  yield* Effect.annotateCurrentSpan({
    "beads.flush.mode": mode,
    "beads.flush.written": written,
    "beads.flush.removed": removed,
    "beads.flush.bytes": bytes
  })
})

/** Measures a flush, whatever becomes of it; its report says how long it took. */
const counted = (flush: Effect.Effect<Omit<FlushReport, "duration">, FlushFailed>) =>
  Effect.uninterruptibleMask(restore =>
    Effect.flatMap(Effect.timed(Effect.exit(restore(flush))), ([duration, exit]) =>
      Effect.zipRight(
        count(duration, exit),
        Effect.map(exit, (report): FlushReport => ({ ...report, duration: Duration.toMillis(duration) }))
      )
    )
  )

const currentTime = Effect.map(Clock.currentTimeMillis, now => new Date(now).toISOString())

const failed = (cause: Problem): FlushFailed => new FlushFailed({ reason: cause._tag, detail: cause.message, cause })

export const make = Effect.gen(function* () {
  const file = yield* IssueFile
  const lock = yield* IssueLock
  const store = yield* IssueStore
  const reconciler = yield* Reconciler
  const integrity = yield* IntegrityChecker
  const progress = yield* Progress.Progress

  /** Clears what was published, and records the bytes of the buffer, never of the file read again (G14). */
  const settle = (
    rows: ReadonlyArray<MarkedRow>,
    record: FileRecord,
    done: Omit<FlushReport, "duration">,
    full: boolean
  ) =>
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
        if (full) yield* store.setFullExportNeeded(false)
        yield* store.recordFlush({ _tag: "Flushed", at: yield* currentTime, ...done })
      })
    )

  /** For `flush status`. A store that is busy or broken is not waited for: whoever asked is told of the failure anyway. */
  const recordFailure = ({ detail, reason }: FlushFailed) =>
    Effect.flatMap(currentTime, at =>
      store.transaction(store.recordFlush({ _tag: "Failed", at, reason, detail }))
    ).pipe(Effect.timeout("1 second"), Effect.ignore)

  /** The writing of so many bytes, told and traced. */
  const publishing = (bytes: number) =>
    flow(
      Progress.stage(progress, { operation: "flush", stage: "write", total: bytes }),
      Effect.withSpan("Exporter.publish", { attributes: { "beads.file.path": file.path, "beads.file.bytes": bytes } })
    )

  /** The hash of a file that this process has put together, and so knows to be tidy. */
  let tidy: string | undefined

  /**
   * Nearly every publish: a stat settles that the bytes on record stand there, so they are copied part by part, and neither
   * the old file nor the new one is ever in memory whole. None where that cannot be.
   */
  const publishPartwise = Effect.fnUntraced(function* (changes: ReadonlyMap<string, string>) {
    const standing = yield* integrity.standing
    if (Option.isNone(standing)) return Option.none()
    const splice = IssueLines.splicePartwise(changes, standing.value.hash === tidy)
    yield* lock.verify
    const rewritten = yield* publishing(standing.value.stamp.size)(file.rewrite(standing.value, splice))
    const staysTidy = [...changes.values()].every(IssueLines.isTidy)
    tidy = Option.isSome(rewritten) && staysTidy ? rewritten.value.hash : undefined
    return Option.map(
      rewritten,
      ({ size, ...replacement }): Published => ({
        replacement,
        size,
        written: splice.written(),
        removed: 0,
        // no line is there twice, and what is on record was reconciled: each row's base is its line
        before: "bases"
      })
    )
  })

  /** Of the bytes that were read. `unchanged`: they say it all already, and stay. */
  const publishWhole = Effect.fnUntraced(function* (changes: ReadonlyMap<string, string>) {
    const snapshot = yield* integrity.snapshot
    // what stands there must be what was reconciled, else it would be replaced unread
    const record = yield* store.fileRecord
    if (Option.isSome(snapshot) && (Option.isNone(record) || record.value.hash !== snapshot.value.hash)) {
      return yield* new IssueFileChanged({ path: file.path })
    }
    const before = Option.match(snapshot, { onNone: () => new Uint8Array(0), onSome: ({ bytes }) => bytes })
    const { pieces, removed, written } = IssueLines.splicePieces(before, changes)
    const size = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (written === 0 && removed === 0 && Option.isSome(snapshot)) return { size, unchanged: recordOf(snapshot.value) }
    yield* lock.verify
    const replacement = yield* publishing(size)(file.replace(snapshot, pieces))
    return { replacement, size, written, removed, before } satisfies Published
  })

  const attempt = Effect.fnUntraced(function* (asked: boolean) {
    // before anything can fail, so that the need outlives a failed flush and this process (G8)
    if (asked) yield* store.transaction(store.setFullExportNeeded(true))
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

    const changes = new Map(rows.map(({ id, line }) => [id, line]))
    // a full export compares all lines, and nearly always finds nothing to write
    const partwise = full ? Option.none() : yield* publishPartwise(changes)
    const published = Option.isSome(partwise) ? partwise.value : yield* publishWhole(changes)
    const { size } = published
    if ("unchanged" in published) {
      const unchanged = { ...nothing, bytes: size }
      yield* settle(rows, published.unchanged, unchanged, full)
      return unchanged
    }
    const { before, removed, replacement, written } = published
    if (Option.isSome(replacement.displaced)) {
      // written by another program between the last look and the rename (G16): one more version, published next. Before
      // the marks go, since until then the bases are what it was written over
      yield* reconciler.absorbReplaced(replacement.displaced.value, before)
    }
    const done = { mode: full ? "full" : "incremental", written, removed, bytes: size } as const
    // while it is not sure to stand, nothing is cleared: what git has made of the file is read, and merged, first
    if (!replacement.contested) {
      yield* settle(
        rows,
        {
          hash: replacement.hash,
          size,
          stamp: stampText(replacement.stamp),
          settled: isPublished(replacement.stamp, size)
        },
        done,
        full
      ).pipe(Progress.stage(progress, { operation: "flush", stage: "clear", total: rows.length }))
    }
    if (replacement.contested || Option.isSome(replacement.displaced)) {
      return yield* new IssueFileChanged({ path: file.path })
    }
    return done
  })

  const flush: Exporter["Type"]["flush"] = ({ full }) =>
    lock
      .withLock(
        attempt(full).pipe(
          Effect.retry({ schedule: whileDisturbed, while: error => error._tag === "IssueFileChanged" }),
          Effect.ensuring(integrity.release),
          Effect.tap(store.touch)
        )
      )
      .pipe(
        Effect.mapError(failed),
        Effect.tapError(recordFailure),
        counted,
        Effect.withSpan("Exporter.flush", { attributes: { "beads.flush.full": full } })
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
