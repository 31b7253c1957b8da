/**
 * The parts put together for one `.beads` directory: what `bd` runs on and what an application embeds.
 *
 * Every layer in here can be replaced; this is the usual choice. Finalizers run from the outside in: the flush manager
 * ends first, with its last flush, then exporter and store close (G7).
 */
import { basename, dirname, join } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Exporter from "../flush/Exporter.ts"
import * as FlushManager from "../flush/FlushManager.ts"
import * as FlushOptions from "../flush/FlushOptions.ts"
import * as IntegrityChecker from "../flush/IntegrityChecker.ts"
import * as Reconciler from "../flush/Reconciler.ts"
import * as GitHistory from "../issue-file/GitHistory.ts"
import * as IssueFile from "../issue-file/IssueFile.ts"
import * as IssueLock from "../issue-file/IssueLock.ts"
import type { StoreError } from "../store/IssueStore.ts"
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

const idle: FlushManager.FlushStatus = { phase: { _tag: "Idle" }, queueDepth: 0, lastReport: undefined }

export type WorkspaceServices = Tracker.Tracker | FlushManager.FlushManager | IssueFile.IssueFile

/** A workspace on disk. */
export const layer = (
  options: WorkspaceOptions
): Layer.Layer<WorkspaceServices, StoreError | IssueFile.IssueFileFailure | IssueFile.IssueFileRefused> => {
  const timeout = Duration.decode(options.lockTimeout ?? Duration.seconds(30))
  const name = options.issueFile ?? "issues.jsonl"
  const file = IssueFile.layer({ path: join(options.directory, name), gitTimeout: timeout })
  // beside the file itself, so that two directories that share one file share one lock
  const beside = Layer.unwrapEffect(
    Effect.map(IssueFile.IssueFile, ({ path }) =>
      Layer.merge(
        IssueLock.layer({ path: join(dirname(path), `${basename(path)}.lock`), timeout }),
        GitHistory.layer(path)
      )
    )
  )
  const store = SqliteStore.layer({ path: options.store ?? join(options.directory, "beads.db"), busyTimeout: timeout })
  const flush =
    options.flush === "never"
      ? manualFlush
      : FlushManager.layer.pipe(Layer.provide(FlushOptions.layer(options.flushOptions)))
  return Tracker.layer({
    actor: options.actor ?? "unknown",
    prefix: options.prefix,
    fallbackPrefix: basename(dirname(options.directory)) || "bd",
    autoImport: options.autoImport
  }).pipe(
    Layer.provideMerge(flush),
    Layer.provide(Exporter.layer),
    Layer.provide(Reconciler.layer),
    Layer.provide(IntegrityChecker.layer),
    Layer.provide(store),
    Layer.provide(beside),
    Layer.provideMerge(file)
  )
}
