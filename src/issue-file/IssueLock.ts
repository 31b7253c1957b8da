/**
 * The cross-process lock: whoever holds it may reconcile, change the store and publish (G13).
 *
 * It is an exclusive SQLite transaction on a small lock database beside the resolved issue file. The kernel frees it
 * when its holder dies; it is never stolen by age and never unlinked. Waiting polls, so the event loop stays free (G2).
 *
 * Within the process a hold may outlive one section: a `bd` command changes, then flushes, under one hold.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** The lock was not free within the bound; nothing was changed. */
export class LockTimeout extends Schema.TaggedError<LockTimeout>()("LockTimeout", {
  path: Schema.String,
  /** How long it was waited for, in milliseconds. */
  waited: Schema.Number
}) {
  override get message() {
    return `another process has held the lock ${this.path} for ${this.waited} ms; try again, or wait longer with --lock-timeout`
  }
}

/** The lock file cannot be opened or locked, or was replaced while it was held. */
export class LockUnavailable extends Schema.TaggedError<LockUnavailable>()("LockUnavailable", {
  path: Schema.String,
  reason: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message() {
    return `the lock ${this.path} cannot be taken: ${this.reason}`
  }
}

export type LockError = LockTimeout | LockUnavailable

export class IssueLock extends Context.Tag("effect-beads/IssueLock")<
  IssueLock,
  {
    /** The lock database's path. */
    readonly path: string
    /**
     * Runs a section alone: no other section of this process, no other process. Sections do not nest. Interruption
     * waits until the section has settled its I/O, then the lock is freed.
     */
    readonly withLock: <A, E, R>(section: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockError, R>
    /** As `withLock`, waiting `patience` instead of the configured bound. */
    readonly withLockWithin: <A, E, R>(
      patience: Duration.DurationInput,
      section: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LockError, R>
    /** Keeps the lock for this process until the scope closes; sections run inside without taking it anew. */
    readonly hold: Effect.Effect<void, LockError, Scope.Scope>
    /** Fails if the lock file is no longer the one that was locked (a `git clean` took it away). Synchronous, a stat. */
    readonly verify: Effect.Effect<void, LockUnavailable>
  }
>() {}
