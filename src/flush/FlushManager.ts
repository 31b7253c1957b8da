/**
 * Decides when the store is published to the issue file, and tells who asks how that went.
 *
 * One fiber, the owner, holds all flush state and takes commands from a queue (G1). It waits for nothing but the next
 * command: a flush runs in a fiber of its own and reports back as a command, so that marks, calls and a shutdown are
 * taken in while a slow flush runs. A timer fiber only offers `Due`, which is a hint: whether a flush is due the owner
 * decides from its own state, after every command, in `settle`.
 *
 * Interleavings that bite:
 * - A mark made during a flush, or after `Due` was offered, moves the deadline: on an early `Due` the timer is armed
 *   again, else the state stays dirty for ever.
 * - Marks made while a flush runs are not in it for certain: they begin a new period, and a `flushNow` after them waits
 *   for the next flush. One before them shares the flush that is running.
 * - A failed flush gives its marks back, merged with those made meanwhile; then the retry schedule alone governs, so
 *   that marks do not hammer a broken disk.
 * - Callers test that the inbox is open and offer in one synchronous step, and the owner closes it before it drains
 *   it: no command is left behind without an answer.
 * - A mark that comes while the manager ends starts no flush any more, but it is remembered: a `flushNow` after it must
 *   not answer that all is published.
 *
 * Promises G1 to G10. Knows the `Exporter` only: no file, no store, no lock.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Metrics from "../Metrics.ts"
import { Exporter, FlushFailed, type FlushReport } from "./Exporter.ts"
import * as FlushInbox from "./FlushInbox.ts"
import { debounceSchedule, FlushOptions, retrySchedule } from "./FlushOptions.ts"
import { makeStepper } from "./ScheduleStepper.ts"

/** The flush manager has ended, and changes are not in the issue file; they stay in the store, marked. */
export class FlushManagerClosed extends Schema.TaggedError<FlushManagerClosed>()("FlushManagerClosed", {}) {
  override get message() {
    return "the flush manager has ended before all changes were published; they are kept in the store, and `bd flush` publishes them"
  }
}

/** What the manager is doing. Times are milliseconds since the epoch, by a clock that is never set back. */
export type FlushPhase =
  /** Nothing is unflushed that is known here. */
  | { readonly _tag: "Idle" }
  /** Dirty since `since`; a flush starts at `due` if no further mark comes. */
  | { readonly _tag: "Waiting"; readonly since: number; readonly due: number }
  /** A flush has been running since `since`. */
  | { readonly _tag: "Flushing"; readonly since: number; readonly full: boolean }
  /** The last `attempt` flushes failed, the latest of `cause`; the next is tried at `due`, none if that is `undefined`. */
  | {
      readonly _tag: "Failing"
      readonly attempt: number
      readonly cause: FlushFailed
      readonly due: number | undefined
    }
  /** Shut down; `unflushed` tells whether marks are left for the next process, those made since included. */
  | { readonly _tag: "Closed"; readonly unflushed: boolean }

export interface FlushStatus {
  readonly phase: FlushPhase
  /** Marks and calls the owner has not taken in yet. */
  readonly queueDepth: number
  /** Marks taken in and not flushed, those that a running flush covers included. */
  readonly pending: number
  /** Whether the next flush, or the one that runs, is a full one. */
  readonly full: boolean
  /** What the last successful flush of this manager did, and when it ended. */
  readonly lastReport: FlushReport | undefined
  readonly lastFlushed: number | undefined
  /** The last flush of this manager that failed, also when others have succeeded since. */
  readonly lastFailure: { readonly at: number; readonly cause: FlushFailed } | undefined
}

export class FlushManager extends Context.Tag("effect-beads/FlushManager")<
  FlushManager,
  {
    /**
     * Says that the store has changed, and with `full` that every issue must be compared, not only the marked ones. Call
     * it after the commit. Never waits, never fails, costs no memory however often it is called; nothing after shutdown.
     */
    readonly markDirty: (options?: { readonly full?: boolean }) => Effect.Effect<void>
    /**
     * Publishes every change marked before the call: waits for a flush that covers it, running or new. Calls at the same
     * time share one. Runs a flush even if nothing is marked here, for marks that other processes left in the store.
     * Fails if that flush fails, without waiting for its retries. Interrupting the caller leaves the flush alone.
     */
    readonly flushNow: Effect.Effect<FlushReport, FlushFailed | FlushManagerClosed>
    /** Waits until all is flushed, through retries; starts nothing. Fails if the manager ends with marks left. */
    readonly awaitClean: Effect.Effect<void, FlushManagerClosed>
    /** The state as of now; commands counted in `queueDepth` are not in it yet. */
    readonly status: Effect.Effect<FlushStatus>
    /** The status at once, then at each change of phase; ends with `Closed`. `due` moves on within a phase: see `status`. */
    readonly changes: Stream.Stream<FlushStatus>
    /**
     * Takes in what was marked before the call, flushes once if dirty, ends; within `shutdownTimeout`, loudly if marks
     * are left. Idempotent. The scope's finalizer calls it.
     */
    readonly shutdown: Effect.Effect<void>
  }
>() {}

type FlushReply = Deferred.Deferred<FlushReport, FlushFailed | FlushManagerClosed>
type CleanReply = Deferred.Deferred<void, FlushManagerClosed>

type Command =
  | { readonly _tag: "FlushNow"; readonly reply: FlushReply }
  | { readonly _tag: "AwaitClean"; readonly reply: CleanReply }
  | { readonly _tag: "Due" }
  | { readonly _tag: "LookedUp"; readonly exit: Exit.Exit<boolean, FlushFailed> }
  | { readonly _tag: "FlushEnded"; readonly exit: Exit.Exit<FlushReport, FlushFailed> }
  | { readonly _tag: "Shutdown" }
  | { readonly _tag: "Expired" }

/** Unflushed marks. */
interface Dirty {
  /** Time of the first. */
  readonly since: number
  readonly marks: number
  /** End of the debounce window. */
  readonly due: number
}

interface Flight {
  readonly fiber: Fiber.RuntimeFiber<FlushReport, FlushFailed>
  readonly started: number
  readonly full: boolean
  /** What it covers; given back if it fails. */
  readonly dirty: Dirty | undefined
  readonly replies: Array<FlushReply>
}

/** Written by the owner fiber alone. */
interface State {
  /** Marks that no running flush covers. */
  dirty: Dirty | undefined
  /** Sticky until a full flush succeeds (G8). */
  full: boolean
  flight: Flight | undefined
  failing: Omit<Extract<FlushPhase, { readonly _tag: "Failing" }>, "_tag"> | undefined
  /** Whoever asked for the last flush, which failed, has its failure. */
  told: boolean
  /** Marks were made since the last flush started. */
  unattempted: boolean
  /** `flushNow` calls that wait for the next flush to start. */
  nextReplies: Array<FlushReply>
  cleanReplies: Array<CleanReply>
  /** When the timer will fire; it may be earlier than the deadline, never later. */
  armed: number | undefined
  lookup: Fiber.RuntimeFiber<boolean, FlushFailed> | undefined
  lastReport: FlushReport | undefined
  lastFlushed: number | undefined
  lastFailure: FlushStatus["lastFailure"]
  /** In `closing` a running flush is waited for, and one more may start; after `lastFlush` none does. */
  mode: "open" | "closing" | "lastFlush" | "closed"
  /** Marks came too late to start a flush, and no flush has started since. */
  missed: boolean
}

/** Failures in a row after which the warning is a prominent one. */
const prominentFailures = 3

/** Starts a manager that lives as long as the scope. */
export const make: Effect.Effect<FlushManager["Type"], never, Exporter | FlushOptions | Scope.Scope> = Effect.gen(
  function* () {
    const exporter = yield* Exporter
    const options = yield* FlushOptions
    const maxDelay = Duration.toMillis(options.maxDelay)
    const window = makeStepper(debounceSchedule(options))
    const retry = makeStepper(retrySchedule(options))

    const inbox = yield* FlushInbox.make<Command>()
    const timer = yield* FiberHandle.make<void>()
    const ended = yield* Deferred.make<void>()

    const state: State = {
      dirty: undefined,
      full: false,
      flight: undefined,
      failing: undefined,
      told: false,
      unattempted: false,
      nextReplies: [],
      cleanReplies: [],
      armed: undefined,
      lookup: undefined,
      lastReport: undefined,
      lastFlushed: undefined,
      lastFailure: undefined,
      mode: "open",
      missed: false
    }

    // ---- what the state says

    /** When the next flush is due; `undefined` if none is needed. */
    const due = (now: number): number | undefined => {
      if (state.nextReplies.length > 0) return now
      if (state.dirty === undefined || isGivenUp()) return undefined
      return state.mode === "open" ? deadline(state.dirty) : now
    }

    /** The last flush has failed, was told, and stays the last one until something new is marked or asked for. */
    const isGivenUp = () => !options.retries && state.failing !== undefined && !state.unattempted

    const deadline = (dirty: Dirty): number => {
      if (state.failing?.due !== undefined) return state.failing.due
      if (dirty.marks >= options.maxMarks) return dirty.since
      return Math.min(dirty.due, dirty.since + maxDelay)
    }

    const isClean = () => state.dirty === undefined && state.flight === undefined && state.lookup === undefined

    /** Whether the store may hold changes that are not in the file, once the manager has ended. */
    const isUnflushed = () =>
      state.dirty !== undefined || state.flight !== undefined || state.missed || inbox.refusedMarks()

    const phase = (): FlushPhase => {
      if (state.mode === "closed") return { _tag: "Closed", unflushed: isUnflushed() }
      if (state.flight !== undefined) {
        return { _tag: "Flushing", since: state.flight.started, full: state.flight.full }
      }
      if (state.failing !== undefined) return { _tag: "Failing", ...state.failing }
      if (state.dirty !== undefined) {
        return { _tag: "Waiting", since: state.dirty.since, due: deadline(state.dirty) }
      }
      return { _tag: "Idle" }
    }

    const pending = () => (state.dirty?.marks ?? 0) + (state.flight?.dirty?.marks ?? 0)

    const currentStatus = (): FlushStatus => ({
      phase: phase(),
      queueDepth: inbox.depth(),
      pending: pending(),
      full: state.full || state.flight?.full === true,
      lastReport: state.lastReport,
      lastFlushed: state.lastFlushed,
      lastFailure: state.lastFailure
    })

    const published = yield* SubscriptionRef.make(currentStatus())
    let publishedTag = currentStatus().phase._tag

    /** On transitions only: one set per mark made 200,000 marks 8 times slower. */
    const publish = Effect.suspend(() => {
      const status = currentStatus()
      if (status.phase._tag === publishedTag) return Effect.void
      publishedTag = status.phase._tag
      return SubscriptionRef.set(published, status)
    })

    /** What this manager adds to the gauge; other workspaces of the process add theirs. */
    let measured = 0
    const measurePending = Effect.suspend(() => {
      const change = pending() - measured
      if (change === 0) return Effect.void
      measured += change
      return Metric.modify(Metrics.pending, change)
    })

    // ---- steps of the owner

    const addMarks = Effect.fnUntraced(function* ({ count, first, full, last }: Omit<FlushInbox.Marks, "_tag">) {
      if (state.dirty === undefined) window.reset()
      // Both ends of the message are stepped, so that the window does not depend on what the inbox happened to merge.
      const end = yield* window.next(first)
      state.dirty = {
        since: state.dirty?.since ?? first,
        marks: (state.dirty?.marks ?? 0) + count,
        due: last > first ? yield* window.next(last) : end
      }
      state.full = state.full || full
    })

    const startFlush = Effect.fnUntraced(function* (now: number) {
      const full = state.full
      const fiber = yield* Effect.suspend(() => exporter.flush({ full })).pipe(
        Effect.withSpan("FlushManager.flush", { attributes: { "beads.flush.full": full } }),
        // No child of the scope: closing it must not wait for a flush that cannot be interrupted.
        Effect.forkDaemon
      )
      // An observer is told whatever ends the fiber.
      fiber.addObserver(exit => void inbox.offer({ _tag: "FlushEnded", exit }))
      state.flight = { fiber, started: now, full, dirty: state.dirty, replies: state.nextReplies }
      state.dirty = undefined
      state.full = false
      state.unattempted = false
      state.missed = false
      state.nextReplies = []
      if (state.mode === "closing") state.mode = "lastFlush"
    })

    const flushEnded = Effect.fnUntraced(function* (exit: Exit.Exit<FlushReport, FlushFailed>) {
      const flight = state.flight
      if (flight === undefined) return
      state.flight = undefined
      const now = yield* currentMillis
      if (Exit.isSuccess(exit)) {
        state.failing = undefined
        state.lastReport = exit.value
        state.lastFlushed = now
        retry.reset()
        return yield* answer(flight.replies, exit)
      }
      const cause = toFlushFailed(exit.cause)
      const attempt = (state.failing?.attempt ?? 0) + 1
      state.failing = { attempt, cause, due: options.retries ? yield* retry.next(now) : undefined }
      state.lastFailure = { at: now, cause }
      state.told = flight.replies.length > 0
      state.full = state.full || flight.full
      // A flush that nothing was marked for may still have met marks of others: after a failure nobody knows.
      const given = flight.dirty ?? { since: flight.started, marks: 0, due: flight.started }
      state.dirty = {
        since: given.since,
        marks: given.marks + (state.dirty?.marks ?? 0),
        due: state.dirty?.due ?? given.due
      }
      yield* answer(flight.replies, Effect.fail(cause))
      yield* logFailure(attempt, state.failing.due === undefined ? undefined : state.failing.due - now, exit.cause)
    })

    const logFailure = (attempt: number, wait: number | undefined, cause: Cause.Cause<FlushFailed>) => {
      const next = state.mode === "open" && wait !== undefined ? `; next attempt in ${wait} ms` : ""
      return attempt === prominentFailures
        ? logError(
            `${attempt} flushes in a row have failed${next}. No change is lost: all are in the store, marked as unpublished, but the issue file lacks them. ` +
              "To recover: read the cause below; see that the disk has room, that .beads can be written, that no other process keeps the lock, " +
              "and that the issue file has no conflict markers or broken lines; then run `bd flush`, or leave it to the next attempt.",
            cause
          )
        : logWarning(`flush failed, attempt ${attempt}${next}; the changes stay marked`, cause)
    }

    const lookedUp = Effect.fnUntraced(function* (exit: Exit.Exit<boolean, FlushFailed>) {
      state.lookup = undefined
      if (Exit.isFailure(exit)) {
        return yield* logWarning("cannot tell whether an earlier run left unpublished changes", exit.cause)
      }
      if (!exit.value || state.mode !== "open") return
      const now = yield* currentMillis
      yield* addMarks({ first: now, last: now, count: 1, full: false })
    })

    const startLookup = Effect.suspend(() => exporter.pending).pipe(
      Effect.forkDaemon,
      Effect.map(fiber => {
        state.lookup = fiber
        fiber.addObserver(exit => void inbox.offer({ _tag: "LookedUp", exit }))
      })
    )

    const arm = (wait: number, command: Command) =>
      FiberHandle.run(
        timer,
        Effect.delay(
          Effect.sync(() => void inbox.offer(command)),
          wait
        )
      )

    const handle = (command: Command | FlushInbox.Marks): Effect.Effect<unknown> => {
      switch (command._tag) {
        case "MarkDirty":
          if (state.mode === "open") {
            state.unattempted = true
            return addMarks(command)
          }
          state.missed = true
          return Effect.void
        case "FlushNow": {
          // The running flush has all marks if none came since it started.
          const covered = state.dirty === undefined && !state.missed
          const replies = covered ? state.flight?.replies : undefined
          return Effect.sync(() => (replies ?? state.nextReplies).push(command.reply))
        }
        case "AwaitClean":
          return Effect.sync(() => state.cleanReplies.push(command.reply))
        case "Due":
          return Effect.sync(() => {
            state.armed = undefined
          })
        case "LookedUp":
          return lookedUp(command.exit)
        case "FlushEnded":
          return flushEnded(command.exit)
        case "Shutdown": {
          if (state.mode !== "open") return Effect.void
          state.mode = "closing"
          return arm(Duration.toMillis(options.shutdownTimeout), { _tag: "Expired" })
        }
        case "Expired":
          return close
      }
    }

    /** After every command: starts what is due, arms the timer for what will be, answers who waits, ends what is over. */
    const settle = Effect.gen(function* () {
      if (state.mode === "closed") return
      if (state.flight === undefined) {
        const now = yield* currentMillis
        const next = state.mode === "lastFlush" ? undefined : due(now)
        if (next !== undefined && next <= now) yield* startFlush(now)
        else if (state.mode !== "open") return yield* close
        // A later deadline leaves the timer as it is: it will find itself early, which is cheaper than one per mark.
        else if (next !== undefined && (state.armed === undefined || next < state.armed)) {
          state.armed = next
          yield* arm(next - now, { _tag: "Due" })
        }
      }
      if (isClean()) yield* answer(state.cleanReplies.splice(0), Effect.void)
    })

    /** How calls are answered once the manager has ended. */
    const answerClosed = Effect.suspend(() =>
      isUnflushed()
        ? Effect.fail(new FlushManagerClosed())
        : Effect.succeed<FlushReport>({
            mode: "unchanged",
            written: 0,
            removed: 0,
            bytes: state.lastReport?.bytes ?? 0,
            duration: 0
          })
    )

    const close = Effect.gen(function* () {
      const { flight, lookup } = state
      state.mode = "closed"
      for (const command of yield* inbox.close) {
        if (command._tag === "FlushNow") state.nextReplies.push(command.reply)
        if (command._tag === "AwaitClean") state.cleanReplies.push(command.reply)
        if (command._tag === "MarkDirty") state.missed = true
      }
      // Told to stop, not waited for: it may hang where it cannot be interrupted.
      if (flight !== undefined) yield* Fiber.interruptFork(flight.fiber)
      if (lookup !== undefined) yield* Fiber.interruptFork(lookup)
      yield* answer([...(flight?.replies ?? []), ...state.nextReplies], answerClosed)
      yield* answer(state.cleanReplies, Effect.asVoid(answerClosed))
      yield* publish
      if (isUnflushed()) {
        const why =
          flight !== undefined
            ? "the last flush did not end in time"
            : state.dirty !== undefined
              ? "the last flush failed"
              : "they came while it was ending"
        // where nothing is tried anew, whoever asked for the last flush knows the end of it already
        const known = !options.retries && flight === undefined && !state.missed && isGivenUp() && state.told
        yield* (known ? logWarning : logError)(
          `ended with unpublished changes: ${why}. They are kept in the store, marked; \`bd flush\` publishes them.`
        )
      }
    })

    const loop = Effect.gen(function* () {
      if (options.resume) yield* startLookup
      while (state.mode !== "closed") {
        yield* handle(yield* inbox.take)
        // Also in between, or a flush that ends as the next one is due would end unseen.
        yield* publish
        yield* settle
        yield* publish
        yield* measurePending
      }
    })

    yield* loop.pipe(
      // Should the owner itself break, nobody is left waiting.
      Effect.onError(cause => {
        if (state.mode === "closed") return Effect.void
        // The command it broke at may have been a mark.
        state.missed = true
        return Effect.zipRight(logError("the flush manager broke", cause), close)
      }),
      Effect.ensuring(Effect.suspend(() => Metric.modify(Metrics.pending, -measured))),
      Effect.ensuring(Deferred.succeed(ended, undefined)),
      // A child inherits the region of its builder, and layers are built where nothing can be interrupted.
      Effect.interruptible,
      Effect.forkScoped
    )

    // ---- the calls

    const call = Effect.fnUntraced(function* <A, E>(
      command: (reply: Deferred.Deferred<A, E>) => Command,
      closed: Effect.Effect<A, E>
    ) {
      const reply = yield* Deferred.make<A, E>()
      return yield* inbox.offer(command(reply)) ? Deferred.await(reply) : closed
    })

    // No span: it would cost more than the mark.
    const markDirty: FlushManager["Type"]["markDirty"] = mark =>
      Effect.map(currentMillis, now => inbox.mark(now, mark?.full === true))

    const flushNow = Effect.fn("FlushManager.flushNow")(function* () {
      return yield* call<FlushReport, FlushFailed | FlushManagerClosed>(
        reply => ({ _tag: "FlushNow", reply }),
        answerClosed
      )
    })

    const awaitClean = Effect.fn("FlushManager.awaitClean")(function* () {
      return yield* call<void, FlushManagerClosed>(
        reply => ({ _tag: "AwaitClean", reply }),
        Effect.asVoid(answerClosed)
      )
    })

    const shutdown = Effect.fn("FlushManager.shutdown")(function* () {
      inbox.offer({ _tag: "Shutdown" })
      yield* Deferred.await(ended)
    })

    // Added after the owner was forked, so it runs before the owner is stopped.
    yield* Effect.addFinalizer(() => shutdown())

    return FlushManager.of({
      markDirty,
      flushNow: Effect.suspend(flushNow),
      awaitClean: Effect.suspend(awaitClean),
      status: Effect.sync(currentStatus),
      get changes() {
        return Stream.takeUntil(published.changes, status => status.phase._tag === "Closed")
      },
      shutdown: Effect.suspend(shutdown)
    })
  }
)

/** The flush manager; its last flush runs when the layer's scope closes, before the exporter is released. */
export const layer: Layer.Layer<FlushManager, never, Exporter | FlushOptions> = Layer.scoped(FlushManager, make)

const answer = <A, E>(replies: ReadonlyArray<Deferred.Deferred<A, E>>, result: Effect.Effect<A, E>) =>
  Effect.forEach(replies, reply => Effect.intoDeferred(result, reply), { discard: true })

// Not round the loop: what is logged inside a flush is not the manager's own.
const own = Effect.annotateLogs("module", "FlushManager")
const logWarning = (...message: ReadonlyArray<unknown>) => own(Effect.logWarning(...message))
const logError = (...message: ReadonlyArray<unknown>) => own(Effect.logError(...message))

/** Milliseconds that never run backwards: a wall clock set back by an hour must not delay a flush by an hour. */
const currentMillis = Effect.map(Clock.currentTimeNanos, nanos => Number(nanos / 1_000_000n))

const toFlushFailed = (cause: Cause.Cause<FlushFailed>): FlushFailed =>
  Option.getOrElse(Cause.failureOption(cause), () =>
    Cause.isInterruptedOnly(cause)
      ? new FlushFailed({ reason: "Interrupted", detail: "the flush was interrupted" })
      : new FlushFailed({
          reason: "Defect",
          detail: `the flush broke: ${Cause.pretty(cause)}`,
          cause: Cause.squash(cause)
        })
  )
