/**
 * Publishes what is dirty: store → issue file.
 *
 * Contract for whoever replaces it: when `flush` succeeds, every mark that was in the store before the call stands
 * durably in the file and is cleared, unless the row changed meanwhile (G14); when it fails, nothing is cleared.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

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
