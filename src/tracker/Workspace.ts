/**
 * The parts put together for one `.beads` directory: what `bd` runs on and what an application embeds.
 *
 * Every part is a layer of its own and can be replaced (`assemble`); this is the usual choice. Here they are made one
 * after the other, each of those before it, as one layer: a layer takes a fiber some two hundred steps to build and to
 * close, and a dozen of them took a third of a command's time. Finalizers run backwards: the flush manager ends first,
 * with its last flush, then exporter and store close (G7).
 */
import { basename, dirname, join, resolve } from "node:path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
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
import { IssueStore, StoreError } from "../store/IssueStore.ts"
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

/** The parts made so far, and one more that needs some of them. */
const and =
  <I, S, E, R>(tag: Context.Tag<I, S>, make: Effect.Effect<S, E, R>) =>
  <A, E0, R0>(
    parts: Effect.Effect<Context.Context<A>, E0, R0>
  ): Effect.Effect<Context.Context<A | I>, E | E0, R0 | Exclude<R, A>> =>
    Effect.flatMap(parts, context =>
      Effect.map(Effect.provide(make, context), service => Context.add(context, tag, service))
    )

/** A flush manager that leaves every mark to the next process. `flushNow` still flushes: it was asked for by name. */
const manualFlush = Effect.map(Exporter.Exporter, exporter =>
  FlushManager.FlushManager.of({
    markDirty: () => Effect.void,
    flushNow: exporter.flush({ full: false }),
    awaitClean: Effect.void,
    status: Effect.succeed(idle),
    get changes() {
      return Stream.succeed(idle)
    },
    shutdown: Effect.void
  })
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

/** What tracker and flush work on. */
type Foundations = IssueStore | IssueFile.IssueFile | IssueLock.IssueLock | GitHistory.GitHistory

/** Tracker and flush, over what there is. */
const working = <E, R>(options: WorkspaceOptions, foundations: Effect.Effect<Context.Context<Foundations>, E, R>) =>
  foundations.pipe(
    and(IntegrityChecker.IntegrityChecker, IntegrityChecker.make),
    and(Reconciler.Reconciler, Reconciler.make),
    and(Exporter.Exporter, Exporter.make),
    and(
      FlushManager.FlushManager,
      options.flush === "never"
        ? manualFlush
        : Effect.provideService(FlushManager.make, FlushOptions.FlushOptions, {
            ...FlushOptions.defaults,
            ...options.flushOptions
          })
    ),
    and(
      Tracker.Tracker,
      Tracker.make({
        actor: options.actor ?? "unknown",
        prefix: options.prefix,
        fallbackPrefix: () => IssueId.prefixFrom(basename(dirname(resolve(options.directory)))),
        autoImport: options.autoImport
      })
    )
  )

/** Tracker and flush, over whatever store, file, lock and history are provided: for whoever replaces one of them. */
export const assemble = (
  options: WorkspaceOptions
): Layer.Layer<Tracker.Tracker | FlushManager.FlushManager, never, Foundations> =>
  Layer.scopedContext(working(options, Effect.context<Foundations>()))

const fileOptions = (options: WorkspaceOptions): IssueFile.IssueFileOptions => ({
  path: join(options.directory, options.issueFile ?? "issues.jsonl"),
  gitTimeout: patience(options)
})

const patience = (options: WorkspaceOptions) => Duration.decode(options.lockTimeout ?? Duration.seconds(30))

/** What lies beside the issue file itself, so that two directories that share one file share one lock. */
const lockPath = ({ path }: IssueFile.IssueFile["Type"]) => join(dirname(path), `${basename(path)}.lock`)

/** The issue file, its lock and its history. */
const file = (options: WorkspaceOptions) =>
  Effect.succeed(Context.empty()).pipe(
    and(IssueFile.IssueFile, IssueFile.make(fileOptions(options))),
    and(
      IssueLock.IssueLock,
      Effect.flatMap(IssueFile.IssueFile, file => IssueLock.make({ path: lockPath(file), timeout: patience(options) }))
    ),
    and(
      GitHistory.GitHistory,
      Effect.map(IssueFile.IssueFile, ({ path }) => GitHistory.make(path))
    )
  )

/** The issue file and its lock alone: for what must work without a store. */
export const fileAndLock = (options: WorkspaceOptions) => Layer.effectContext(file(options))

const storePath = (options: WorkspaceOptions) => options.store ?? join(options.directory, "beads.db")

const onDisk = (options: WorkspaceOptions) =>
  working(
    options,
    file(options).pipe(and(IssueStore, SqliteStore.make({ path: storePath(options), busyTimeout: patience(options) })))
  )

/** A database that is not ours: taken over if it is the classic tool's, then opened once more. */
const takenOver = Effect.fnUntraced(function* (options: WorkspaceOptions) {
  const path = storePath(options)
  // once in the life of a project: no other start loads it
  const ClassicDatabase = yield* Effect.promise(() => import("../store/ClassicDatabase.ts"))
  const ClassicTakeover = yield* Effect.promise(() => import("../flush/ClassicTakeover.ts"))
  // another process may have been first
  if (!(yield* ClassicDatabase.isAt(path))) return yield* onDisk(options)
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
  return yield* onDisk({ ...options, prefix })
})

/** A workspace on disk, until the scope closes. A database of the classic tool is taken over. */
export const make = (
  options: WorkspaceOptions
): Effect.Effect<
  Context.Context<WorkspaceServices>,
  StoreError | IssueFile.IssueFileError | UnreadableLine,
  Scope.Scope
> =>
  Effect.catchTag(onDisk(options), "StoreError", error =>
    error.reason === "foreign" ? takenOver(options) : Effect.fail(error)
  )

/** As `make`. */
export const layer = (
  options: WorkspaceOptions
): Layer.Layer<WorkspaceServices, StoreError | IssueFile.IssueFileError | UnreadableLine> =>
  Layer.scopedContext(make(options))

/**
 * The issue file read into a store in memory, where the one on disk cannot be used: a read-only file system, a damaged
 * database (G26). Nothing is written anywhere; a change fails with `LockUnavailable`. What was changed and not yet
 * published is not seen. Fails with `UnreadableLine` if the file cannot be read either: no answer is better than half.
 */
export const makeReadOnly = Effect.fnUntraced(function* (options: WorkspaceOptions) {
  const parts = yield* working(
    { ...options, flush: "never" },
    Effect.succeed(Context.empty()).pipe(
      and(IssueFile.IssueFile, IssueFile.makeReadOnly(fileOptions(options))),
      and(
        IssueLock.IssueLock,
        Effect.map(IssueFile.IssueFile, file => IssueLock.readOnly({ path: lockPath(file) }))
      ),
      and(
        GitHistory.GitHistory,
        Effect.map(IssueFile.IssueFile, ({ path }) => GitHistory.make(path))
      ),
      and(IssueStore, SqliteStore.make({ path: ":memory:" }))
    )
  )
  const { barred } = yield* Context.get(parts, Reconciler.Reconciler).reconcile
  const [unreadable] = barred
  if (unreadable !== undefined) return yield* unreadable
  return parts
})

/** As `makeReadOnly`. */
export const layerReadOnly = (
  options: WorkspaceOptions
): Layer.Layer<WorkspaceServices, StoreError | IssueFile.IssueFileError | UnreadableLine> =>
  Layer.scopedContext(makeReadOnly(options))
