/**
 * The cross-process lock: whoever holds it may reconcile, change the store and publish (G13).
 *
 * It is an exclusive SQLite transaction on a small lock database beside the resolved issue file. The kernel frees it
 * when its holder dies; it is never stolen by age and never unlinked. Waiting polls, so the event loop stays free (G2).
 *
 * Within the process a hold may outlive one section: a `bd` command changes, then flushes, under one hold.
 */

import * as Path from "node:path"
import Database from "better-sqlite3"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Metrics from "../Metrics.ts"
import { type Disk, DiskFailure, type DiskStat, nodeDisk } from "./Disk.ts"

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

export interface IssueLockOptions {
  /**
   * The lock database, beside the resolved issue file. SQLite alone may open it: closing any other descriptor of it
   * would drop this process's locks.
   */
  readonly path: string
  /** How long to wait for another holder. More: slower to report one that hangs. Less: fails under load. */
  readonly timeout: Duration.DurationInput
}

/** 2, 4, 8, 16, then 25 ms, each a fifth more or less, so that waiters do not march in step. */
const polling = Schedule.exponential("2 millis").pipe(Schedule.union(Schedule.spaced("25 millis")), Schedule.jittered)

/** Whether a path still leads to the same file; the birth time tells an inode number that is used again. */
const isSameFile = (one: DiskStat, other: DiskStat | undefined): boolean =>
  other !== undefined && one.device === other.device && one.inode === other.inode && one.bornAt === other.bornAt

const waitedAndTook = Metric.tagged(Metrics.lockWait, "outcome", "taken")
const waitedInVain = Metric.tagged(Metrics.lockWait, "outcome", "failed")

const isBusy = (cause: unknown): boolean =>
  cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")

/** Over the given disk: tests put other programs between two of its calls. */
export const make = Effect.fnUntraced(function* (options: IssueLockOptions, disk: Disk = nodeDisk) {
  const { path } = options
  const timeout = Duration.decode(options.timeout)

  /** The kernel's lock, shared by the sections and holds of this process. */
  let kernel: { readonly database: Database.Database; readonly file: DiskStat; users: number } | undefined

  /** The sections of this process in order of arrival; the first one's turn has come. */
  const line: Array<Deferred.Deferred<void>> = []

  const unavailable = (cause: unknown): LockUnavailable => {
    // SQLite says "unable to open" or "readonly"; the system's own word is the one to act on
    try {
      disk.assertWritable(Path.dirname(path))
      if (disk.stat(path) !== undefined) disk.assertWritable(path)
    } catch (denied) {
      if (denied instanceof DiskFailure) return new LockUnavailable({ path, reason: denied.message, cause })
    }
    return new LockUnavailable({ path, reason: cause instanceof Error ? cause.message : String(cause), cause })
  }

  const lookAtFile = (): DiskStat | undefined => {
    const file = disk.stat(path)
    if (file !== undefined && file.kind !== "file") {
      throw new LockUnavailable({ path, reason: "it is not a regular file" })
    }
    return file
  }

  /** Opened and not locked yet, since another process was first: for the next attempt. Never beside `kernel`. */
  let waiting: { readonly database: Database.Database; readonly file: DiskStat } | undefined

  const closeWaiting = (): void => {
    waiting?.database.close()
    waiting = undefined
  }

  /** Opens the file, which nobody may have replaced meanwhile. */
  const open = (): typeof waiting => {
    // a file that SQLite creates has no earlier stat to compare: create it first, then open it like any other
    if (lookAtFile() === undefined) new Database(path, { timeout: 0 }).close()
    const before = lookAtFile()
    const database = new Database(path, { timeout: 0 })
    try {
      if (before !== undefined && isSameFile(before, lookAtFile())) return { database, file: before }
    } catch (cause) {
      database.close()
      throw cause
    }
    database.close()
    return undefined
  }

  /** Locks; undefined while another process holds it, or if the file was replaced under our hands. */
  const tryKernel = (): typeof kernel => {
    waiting ??= open()
    if (waiting === undefined) return undefined
    const { database, file } = waiting
    try {
      database.pragma("journal_mode = MEMORY")
      database.exec("BEGIN EXCLUSIVE")
      // on a file it may not write SQLite quietly begins a shared transaction instead; a change, never committed, tells
      database.pragma("user_version = 1")
      if (isSameFile(file, lookAtFile())) {
        waiting = undefined
        return { database, file, users: 1 }
      }
      closeWaiting()
      return undefined
    } catch (cause) {
      const another = isBusy(cause)
      if (!another || !isSameFile(file, lookAtFile())) closeWaiting()
      if (another) return undefined
      throw cause
    }
  }

  const stillOurs: Effect.Effect<void, LockUnavailable> = Effect.suspend(() => {
    if (kernel === undefined) return Effect.fail(new LockUnavailable({ path, reason: "it is not held" }))
    try {
      if (isSameFile(kernel.file, disk.stat(path))) return Effect.void
    } catch (cause) {
      return Effect.fail(unavailable(cause))
    }
    return Effect.fail(new LockUnavailable({ path, reason: "the lock file was removed or replaced while it was held" }))
  })

  /** One step, so that no interruption comes between the taking and the counting. */
  const tryJoin: Effect.Effect<boolean, LockUnavailable> = Effect.suspend(() => {
    if (kernel !== undefined) {
      kernel.users++
      return Effect.succeed(true)
    }
    try {
      kernel = tryKernel()
      return Effect.succeed(kernel !== undefined)
    } catch (cause) {
      return Effect.fail(cause instanceof LockUnavailable ? cause : unavailable(cause))
    }
  })

  const leave = Effect.sync(() => {
    if (kernel === undefined || --kernel.users > 0) return
    const { database } = kernel
    kernel = undefined
    database.close()
  })

  /** Runs in an uninterruptible region, so that whoever joined also leaves; only the pauses are interruptible. */
  const join = Effect.fnUntraced(
    function* (
      since: number,
      patience: Duration.Duration,
      restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    ) {
      const pauses = yield* Schedule.driver(polling)
      while (!(yield* tryJoin)) {
        const waited = (yield* Clock.currentTimeMillis) - since
        if (waited >= Duration.toMillis(patience)) return yield* new LockTimeout({ path, waited })
        yield* Effect.ignore(restore(pauses.next(undefined)))
      }
    },
    Effect.ensuring(Effect.sync(closeWaiting))
  )

  /** The wait for the lock, to be told from what is done under it. */
  const measured = <E>(wait: Effect.Effect<void, E>): Effect.Effect<void, E> =>
    Effect.exit(wait).pipe(
      Effect.timed,
      Effect.tap(([duration, exit]) => Metric.update(Exit.isSuccess(exit) ? waitedAndTook : waitedInVain, duration)),
      Effect.flatMap(([, exit]) => exit),
      Effect.withSpan("IssueLock.wait", { attributes: { "beads.lock.path": path } })
    )

  const withLockWithin = <A, E, R>(patience: Duration.DurationInput, section: Effect.Effect<A, E, R>) =>
    Effect.uninterruptibleMask(restore =>
      Effect.gen(function* () {
        const bound = Duration.decode(patience)
        const since = yield* Clock.currentTimeMillis
        const turn = yield* Deferred.make<void>()
        const stepOut = Effect.suspend(() => {
          line.splice(line.indexOf(turn), 1)
          return line[0] === undefined ? Effect.void : Deferred.succeed(line[0], undefined)
        })
        line.push(turn)
        return yield* Effect.gen(function* () {
          const wait = Effect.gen(function* () {
            if (line[0] !== turn) {
              yield* restore(Deferred.await(turn)).pipe(
                Effect.timeoutFail({
                  duration: bound,
                  onTimeout: () => new LockTimeout({ path, waited: Duration.toMillis(bound) })
                })
              )
            }
            yield* join(since, bound, restore)
          })
          yield* measured(wait)
          return yield* Effect.ensuring(Effect.andThen(stillOurs, restore(section)), leave)
        }).pipe(Effect.ensuring(stepOut))
      })
    ).pipe(Effect.withSpan("IssueLock.withLock"))

  return IssueLock.of({
    path,
    withLock: section => withLockWithin(timeout, section),
    withLockWithin,
    hold: Effect.uninterruptibleMask(restore =>
      Effect.gen(function* () {
        yield* measured(join(yield* Clock.currentTimeMillis, timeout, restore))
        yield* Effect.addFinalizer(() => leave)
      })
    ).pipe(Effect.withSpan("IssueLock.hold")),
    verify: stillOurs
  })
})

export const layer = (options: IssueLockOptions): Layer.Layer<IssueLock> => Layer.effect(IssueLock, make(options))

/** For reading only, where no lock can be taken: a read runs as it is, whatever would write is refused. */
export const readOnly = ({ path }: Pick<IssueLockOptions, "path">): IssueLock["Type"] => {
  const refused = Effect.suspend(() =>
    Effect.fail(new LockUnavailable({ path, reason: "the store is open for reading only" }))
  )
  return IssueLock.of({
    path,
    withLock: () => refused,
    withLockWithin: (_, section) => section,
    hold: refused,
    verify: refused
  })
}
