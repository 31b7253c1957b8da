/**
 * The parts put together for one `.beads` directory: what `bd` runs on and what an application embeds.
 *
 * Every layer in here can be replaced; this is the usual choice. Finalizers run from the outside in: the flush manager
 * ends first, with its last flush, then exporter and store close (G7).
 */
import { basename, dirname, join, resolve } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as IssueId from "../domain/IssueId.ts"
import * as Exporter from "../flush/Exporter.ts"
import * as FlushManager from "../flush/FlushManager.ts"
import * as FlushOptions from "../flush/FlushOptions.ts"
import * as IntegrityChecker from "../flush/IntegrityChecker.ts"
import * as Reconciler from "../flush/Reconciler.ts"
import * as GitHistory from "../issue-file/GitHistory.ts"
import * as IssueFile from "../issue-file/IssueFile.ts"
import type { UnreadableLine } from "../issue-file/IssueLine.ts"
import * as IssueLock from "../issue-file/IssueLock.ts"
import { StoreError } from "../store/IssueStore.ts"
import * as SqliteStore from "../store/SqliteStore.ts"
import * as Tracker from "./Tracker.ts"

export interface WorkspaceOptions {
  /** The `.beads` directory. It must exist. */
  readonly directory: string
  /** The issue file's name in it, default `issues.jsonl`. */
  readonly issueFile?: string
  /** The store's path, default `beads.db` in the directory. */
  readonly store?: string
  /** Who makes the changes, default `unknown`. */
  readonly actor?: string
  /** Prefix of new ids; default: the commonest there is, else the name of the project's directory. */
  readonly prefix?: string | undefined
  /** How long lock, database and git are waited for, each. Default 30 s. More: fewer failures under load, longer hangs. */
  readonly lockTimeout?: Duration.DurationInput
  /**
   * `debounced` (default): changes are flushed by the flush manager, the last ones when the scope closes.
   * `never`: changes are committed and stay marked (`--no-auto-flush`, and every command that only reads).
   */
  readonly flush?: "debounced" | "never"
  /** Whether reads look at the issue file first, default true. */
  readonly autoImport?: boolean
  /**
   * Keeps the prefix of new ids that a database of the classic tool names, where settings are kept. Called when such a
   * database is taken over; the tracker uses it in any case, unless it was given one.
   */
  readonly keepPrefix?: (prefix: string) => Effect.Effect<void>
  /** Options of the flush manager. */
  readonly flushOptions?: Partial<FlushOptions.FlushOptions["Type"]>
}

/** A flush manager that leaves every mark to the next process. `flushNow` still flushes: it was asked for by name. */
const manualFlush: Layer.Layer<FlushManager.FlushManager, never, Exporter.Exporter> = Layer.effect(
  FlushManager.FlushManager,
  Effect.map(Exporter.Exporter, exporter =>
    FlushManager.FlushManager.of({
      markDirty: () => Effect.void,
      flushNow: exporter.flush({ full: false }),
      awaitClean: Effect.void,
      status: Effect.succeed(idle),
      changes: Stream.succeed(idle),
      shutdown: Effect.void
    })
  )
)

const idle: FlushManager.FlushStatus = {
  phase: { _tag: "Idle" },
  queueDepth: 0,
  pending: 0,
  full: false,
  lastReport: undefined,
  lastFlushed: undefined,
  lastFailure: undefined
}

export type WorkspaceServices = Tracker.Tracker | FlushManager.FlushManager | IssueFile.IssueFile

/** Tracker and flush, over whatever store, file, lock and history are provided: for whoever replaces one of them. */
export const assemble = (options: WorkspaceOptions) =>
  Tracker.layer({
    actor: options.actor ?? "unknown",
    prefix: options.prefix,
    fallbackPrefix: IssueId.prefixFrom(basename(dirname(resolve(options.directory)))),
    autoImport: options.autoImport
  }).pipe(
    Layer.provideMerge(
      options.flush === "never"
        ? manualFlush
        : FlushManager.layer.pipe(Layer.provide(FlushOptions.layer(options.flushOptions)))
    ),
    Layer.provide(Exporter.layer),
    Layer.provideMerge(Reconciler.layer),
    Layer.provide(IntegrityChecker.layer)
  )

const fileOptions = (options: WorkspaceOptions): IssueFile.IssueFileOptions => ({
  path: join(options.directory, options.issueFile ?? "issues.jsonl"),
  gitTimeout: patience(options)
})

const patience = (options: WorkspaceOptions) => Duration.decode(options.lockTimeout ?? Duration.seconds(30))

/** What lies beside the issue file itself, so that two directories that share one file share one lock. */
const beside = (lock: (path: string) => Layer.Layer<IssueLock.IssueLock>) =>
  Layer.unwrapEffect(
    Effect.map(IssueFile.IssueFile, ({ path }) =>
      Layer.merge(lock(join(dirname(path), `${basename(path)}.lock`)), GitHistory.layer(path))
    )
  )

const storePath = (options: WorkspaceOptions) => options.store ?? join(options.directory, "beads.db")

/** The issue file and its lock alone: for what must work without a store. */
export const fileAndLock = (options: WorkspaceOptions) =>
  beside(path => IssueLock.layer({ path, timeout: patience(options) })).pipe(
    Layer.provideMerge(IssueFile.layer(fileOptions(options)))
  )

const onDisk = (options: WorkspaceOptions) =>
  assemble(options).pipe(
    Layer.provide(SqliteStore.layer({ path: storePath(options), busyTimeout: patience(options) })),
    Layer.provideMerge(fileAndLock(options))
  )

/** A database that is not ours: taken over if it is the classic tool's, then opened once more. */
const takenOver = (options: WorkspaceOptions) =>
  Effect.gen(function* () {
    const path = storePath(options)
    // once in the life of a project: no other start loads it
    const ClassicDatabase = yield* Effect.promise(() => import("../store/ClassicDatabase.ts"))
    const ClassicTakeover = yield* Effect.promise(() => import("../flush/ClassicTakeover.ts"))
    if (!(yield* ClassicDatabase.isAt(path))) return onDisk(options)
    const unable = (error: IssueLock.LockError) =>
      new StoreError({
        path,
        reason: error._tag === "LockTimeout" ? "classic" : "readonly",
        detail: `it belongs to the classic bd and could not be taken over: ${error.message}`,
        cause: error
      })
    const report = yield* ClassicTakeover.run({
      path,
      busyTimeout: patience(options),
      keepPrefix: options.keepPrefix ?? (() => Effect.void)
    }).pipe(Effect.catchTags({ LockTimeout: unable, LockUnavailable: unable }), Effect.provide(fileAndLock(options)))
    const prefix = options.prefix ?? Option.getOrUndefined(report)?.prefix
    return onDisk({ ...options, prefix })
  }).pipe(Layer.unwrapEffect)

/** A workspace on disk. A database of the classic tool is taken over. */
export const layer = (
  options: WorkspaceOptions
): Layer.Layer<WorkspaceServices, StoreError | IssueFile.IssueFileError | UnreadableLine> =>
  onDisk(options).pipe(
    Layer.catchAll(error =>
      error._tag === "StoreError" && error.reason === "foreign" ? takenOver(options) : Layer.fail(error)
    )
  )

/**
 * The issue file read into a store in memory, where the one on disk cannot be used: a read-only file system, a damaged
 * database (G26). Nothing is written anywhere; a change fails with `LockUnavailable`. What was changed and not yet
 * published is not seen. Fails with `UnreadableLine` if the file cannot be read either: no answer is better than half.
 */
export const layerReadOnly = (
  options: WorkspaceOptions
): Layer.Layer<WorkspaceServices, StoreError | IssueFile.IssueFileError | UnreadableLine> =>
  Layer.effectDiscard(
    Effect.flatMap(Reconciler.Reconciler, reconciler =>
      Effect.flatMap(reconciler.reconcile, ({ barred: [unreadable] }) =>
        unreadable === undefined ? Effect.void : Effect.fail(unreadable)
      )
    )
  ).pipe(
    Layer.provideMerge(assemble({ ...options, flush: "never" })),
    Layer.provide(SqliteStore.layerMemory),
    Layer.provide(beside(path => IssueLock.layerReadOnly({ path }))),
    Layer.provideMerge(IssueFile.layerReadOnly(fileOptions(options)))
  )
