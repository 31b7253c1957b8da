/**
 * A whole workspace in memory, for the tests of applications that embed effect-beads.
 *
 * Tracker, flush manager, reconciler, exporter and SQLite are the real ones; only the disk is not: the issue file is a
 * value, and the lock is known to this process alone. Nothing here waits for real time, so `TestClock` moves it all.
 */
import { createHash } from "node:crypto"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { FlushManager } from "../flush/FlushManager.ts"
import type * as FlushOptions from "../flush/FlushOptions.ts"
import * as GitHistory from "../issue-file/GitHistory.ts"
import { IssueFile, IssueFileChanged, type Snapshot } from "../issue-file/IssueFile.ts"
import { IssueLock, LockTimeout } from "../issue-file/IssueLock.ts"
import type { StoreError } from "../store/IssueStore.ts"
import * as SqliteStore from "../store/SqliteStore.ts"
import type { Tracker } from "../tracker/Tracker.ts"
import * as Workspace from "../tracker/Workspace.ts"

/** The issue file as the test sees it, and as another program may write it. */
export class TestFile extends Context.Tag("effect-beads/TestFile")<
  TestFile,
  {
    /** Its text; none while nothing was published. */
    readonly text: Effect.Effect<Option.Option<string>>
    /** Replaces it, as an editor or `git pull` would. */
    readonly write: (text: string) => Effect.Effect<void>
  }
>() {}

const path = "issues.jsonl"

const file: Layer.Layer<IssueFile | TestFile> = Layer.effectContext(
  Effect.sync(() => {
    let current: Snapshot | undefined
    let writes = 0
    const put = (bytes: Uint8Array): Snapshot => {
      const at = String(++writes)
      current = {
        bytes,
        hash: createHash("sha256").update(bytes).digest("hex"),
        stamp: { device: "memory", inode: at, size: bytes.byteLength, modifiedAt: at, changedAt: at },
        settled: true
      }
      return current
    }
    const issueFile = IssueFile.of({
      path,
      stamp: Effect.sync(() => Option.map(Option.fromNullable(current), ({ stamp }) => stamp)),
      read: Effect.sync(() => Option.fromNullable(current)),
      readKnown: () => Effect.sync(() => Option.fromNullable(current)),
      replace: (expected, content) =>
        Effect.suspend(() => {
          if (Option.getOrUndefined(expected)?.stamp.inode !== current?.stamp.inode)
            return new IssueFileChanged({ path })
          const { hash, stamp } = put(content instanceof Uint8Array ? content : Buffer.concat(content))
          return Effect.succeed({ hash, stamp, displaced: Option.none(), contested: false })
        }),
      rewrite: (expected, edit) =>
        Effect.suspend(() => {
          if (expected.stamp.inode !== current?.stamp.inode) return new IssueFileChanged({ path })
          const made = edit.next(Buffer.from(current.bytes), true)
          if (made === undefined) return Effect.succeedNone
          const { bytes, hash, stamp } = put(Buffer.concat(made.pieces))
          return Effect.succeedSome({ hash, stamp, size: bytes.length, displaced: Option.none(), contested: false })
        }),
      recoverAside: Effect.succeedNone,
      discardAside: Effect.void,
      quarantineAside: () => Effect.succeed("")
    })
    const testFile = TestFile.of({
      text: Effect.sync(() => Option.map(Option.fromNullable(current), ({ bytes }) => Buffer.from(bytes).toString())),
      write: text => Effect.sync(() => void put(Buffer.from(text)))
    })
    return Context.make(IssueFile, issueFile).pipe(Context.add(TestFile, testFile))
  })
)

const lock = (timeout: Duration.DurationInput): Layer.Layer<IssueLock> =>
  Layer.effect(
    IssueLock,
    Effect.map(Effect.makeSemaphore(1), semaphore => {
      const withLockWithin = <A, E, R>(patience: Duration.DurationInput, section: Effect.Effect<A, E, R>) =>
        Effect.uninterruptibleMask(restore =>
          Effect.acquireUseRelease(
            restore(semaphore.take(1)).pipe(
              Effect.timeoutFail({
                duration: patience,
                onTimeout: () => new LockTimeout({ path, waited: Duration.toMillis(patience) })
              })
            ),
            () => restore(section),
            () => semaphore.release(1)
          )
        )
      return IssueLock.of({
        path,
        withLock: section => withLockWithin(timeout, section),
        withLockWithin,
        hold: Effect.void,
        verify: Effect.void
      })
    })
  )

export interface TestingOptions {
  /** Who makes the changes, default `tester`. */
  readonly actor?: string
  /** Prefix of new ids, default `test`. */
  readonly prefix?: string
  readonly lockTimeout?: Duration.DurationInput
  readonly flushOptions?: Partial<FlushOptions.FlushOptions["Type"]>
}

/**
 * Everything in memory, fresh with each build of the layer.
 *
 * @example
 * it.scoped("a change is in the file after the debounce", () =>
 *   Effect.gen(function* () {
 *     const tracker = yield* Tracker.Tracker
 *     yield* tracker.create({ title: "one" })
 *     yield* TestClock.adjust("5 seconds")
 *     const file = yield* Testing.TestFile
 *     assert.include(Option.getOrThrow(yield* file.text), "one")
 *   }).pipe(Effect.provide(Testing.layer())))
 */
export const layer = (options: TestingOptions = {}): Layer.Layer<Tracker | FlushManager | TestFile, StoreError> =>
  Workspace.assemble({
    directory: path,
    actor: options.actor ?? "tester",
    prefix: options.prefix ?? "test",
    ...(options.flushOptions === undefined ? {} : { flushOptions: options.flushOptions })
  }).pipe(
    Layer.provide(SqliteStore.layerMemory),
    Layer.provide(lock(options.lockTimeout ?? "30 seconds")),
    Layer.provide(GitHistory.layerNone),
    Layer.provideMerge(file)
  )
