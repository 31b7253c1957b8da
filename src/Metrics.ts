/**
 * What an embedding application can measure: Effect metrics, for whatever exporter it has (`@effect/opentelemetry`, a
 * snapshot by `Metric.snapshot`). The program `bd` exports none; to count costs it microseconds.
 *
 * Names follow OpenTelemetry: `beads.` and the part, words apart by dots, no unit in the name. Times are milliseconds.
 * Metrics are global to the process, so several workspaces in one process add up.
 *
 * The spans, for whatever `Tracer` is set, with their attributes:
 * - `FlushManager.flush` (`beads.flush.full`): one flush as the flush manager runs it; it is its own root.
 * - `Exporter.flush` (`beads.flush.full`; once done `.mode`, `.written`, `.removed`, `.bytes`), and in it
 *   `IssueLock.wait` (`beads.lock.path`), `Reconciler.reconcile` (`beads.reconcile.outcome`, `.issues`) and
 *   `Exporter.publish` (`beads.file.path`, `beads.file.bytes`): temp file, fsync, rename.
 * - `IssueLock.withLock`, `IssueLock.hold`: the section under the lock, its waiting included.
 * - `Tracker.NAME`: each use case.
 *
 * Imports nothing of this project: every layer may count.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/** Up to a minute: the longest default bound is 30 s. */
const times = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000]

/**
 * Flushes, tagged with their `outcome`: `incremental`, `full`, `unchanged` (nothing had to be written), `failed`,
 * `interrupted`. Those that failed have a `reason` too: `LockTimeout`, `UnreadableLine`, `IssueFileFailure`, …
 */
export const flushes = Metric.counter("beads.flush.count", {
  description: "Flushes of the store to the issue file, by outcome",
  incremental: true
})

/** How long flushes took, the wait for the lock included; tagged as `flushes`. */
export const flushDuration = Metric.timerWithBoundaries("beads.flush.duration", times, "Duration of flushes")

/** Lines written anew by a flush that wrote. */
export const flushIssues = Metric.histogram(
  "beads.flush.issues",
  MetricBoundaries.fromIterable([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000]),
  "Issues per flush"
)

/** Bytes that flushes wrote: each writes the whole file. */
export const flushBytes = Metric.counter("beads.flush.bytes", {
  description: "Bytes written to the issue file",
  incremental: true
})

/** Marks that the flush manager knows of and that no flush has published; one that runs has not yet. */
export const pending = Metric.gauge("beads.flush.pending", { description: "Unpublished marks" })

/** Looks at the issue file under the lock, tagged with their `outcome`: `unchanged`, `changed`, `missing`, `barred`. */
export const reconciliations = Metric.counter("beads.reconcile.count", {
  description: "Reconciliations of the store with the issue file, by outcome",
  incremental: true
})

/** Issues that came or changed by what others wrote into the issue file. */
export const reconciledIssues = Metric.counter("beads.reconcile.issues", {
  description: "Issues taken over from the issue file",
  incremental: true
})

/** How long the lock was waited for, tagged with the `outcome`: `taken`, `failed` (too long, or not to be had). */
export const lockWait = Metric.timerWithBoundaries("beads.lock.wait", times, "Time waited for the lock")
