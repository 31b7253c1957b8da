/**
 * How far a long import, reconcile or flush is, for whoever wants to show it.
 *
 * Off by default: the service is a reference whose default hears nothing, so nothing has to be provided. `layer` offers
 * what is told as a stream, `layerCallback` hands it to a function. Events of short work are told too; whether something
 * is worth showing the listener decides.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"

export interface ProgressEvent {
  /**
   * `import`: lines merged by `Tracker.import`; `export`: lines that `Tracker.export` gives; `reconcile`: the issue file,
   * changed by others; `flush`: a publish.
   */
  readonly operation: "import" | "export" | "reconcile" | "flush"
  /** In this order: lines are read and merged, then stored; a flush writes the file, then clears the marks. */
  readonly stage: "read" | "store" | "write" | "clear"
  /** Of `total`. Each stage begins with 0 and, unless it fails, ends with `total`. */
  readonly done: number
  /** Issues; in the stages `read` and `write` bytes, but for an export. */
  readonly total: number
}

export class Progress extends Context.Reference<Progress>()("effect-beads/Progress", {
  defaultValue: (): ProgressService => ({ report: () => {}, events: Stream.empty })
}) {}

export interface ProgressService {
  /** Called often, in the midst of the work: it must be quick, must not throw, and may not touch the tracker. */
  readonly report: (event: ProgressEvent) => void
  /** What is told from now on. Who reads too slowly misses the oldest events. */
  readonly events: Stream.Stream<ProgressEvent>
}

/** Work in one stage, its beginning and its end told. */
export const stage =
  (progress: ProgressService, event: Omit<ProgressEvent, "done">) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      progress.report({ ...event, done: 0 })
      return Effect.tap(work, () => progress.report({ ...event, done: event.total }))
    })

/** Work on many things in portions, each told; in between other fibers get their turn. */
export const inPortions = <A, E, R>(
  progress: ProgressService,
  event: Omit<ProgressEvent, "done" | "total">,
  all: ReadonlyArray<A>,
  work: (portion: ReadonlyArray<A>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const total = all.length
    if (total === 0) return
    progress.report({ ...event, done: 0, total })
    for (let done = 0; done < total; ) {
      yield* work(all.slice(done, done + portionSize))
      done = Math.min(total, done + portionSize)
      progress.report({ ...event, done, total })
      if (done < total) yield* Effect.yieldNow()
    }
  })

/** Large enough that statements in bulk stay cheap, small enough for a bar that moves. */
const portionSize = 500

/** What is told as a stream: `Effect.flatMap(Progress.Progress, ({ events }) => …)`. */
export const layer: Layer.Layer<Progress> = Layer.effect(
  Progress,
  Effect.map(PubSub.sliding<ProgressEvent>(256), pubsub => ({
    report: (event: ProgressEvent) => void pubsub.unsafeOffer(event),
    events: Stream.fromPubSub(pubsub)
  }))
)

/** What is told handed to a function, at once; there are no `events`. */
export const callback = (report: ProgressService["report"]): ProgressService => ({ report, events: Stream.empty })

/** As `callback`. */
export const layerCallback = (report: ProgressService["report"]): Layer.Layer<Progress> =>
  Layer.succeed(Progress, callback(report))
