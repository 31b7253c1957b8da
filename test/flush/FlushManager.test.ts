/** The flush manager at exact virtual times, one promise a test. The property test is FlushManager.model.test.ts. */
import { assert, describe, it, vi } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Clock,
  Context,
  Duration,
  Effect,
  Exit,
  Fiber,
  HashMap,
  Layer,
  Logger,
  type LogLevel,
  Option,
  Schedule,
  Scope,
  Stream,
  TestClock
} from "effect"
import { Exporter, FlushFailed, type FlushReport } from "../../src/flush/Exporter.ts"
import * as FlushManager from "../../src/flush/FlushManager.ts"
import * as FlushOptions from "../../src/flush/FlushOptions.ts"

const { FlushManager: Manager, FlushManagerClosed } = FlushManager

// Virtual time costs little, but a busy machine may be slow at it.
vi.setConfig({ testTimeout: 20_000 })

describe("marks", () => {
  it.scoped("G2: markDirty does not wait for a flush that hangs", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(hang)
      yield* Effect.fork(manager.flushNow)
      yield* settle
      yield* manager.markDirty({ full: true })
      yield* manager.markDirty()
      assert.strictEqual(yield* now, 0)
      assert.strictEqual(exporter.flushes.length, 1)
    })
  )

  it.scoped(
    "G2: a million marks in a row are one message, and all are counted",
    () =>
      Effect.gen(function* () {
        const { manager, exporter } = yield* start({ maxMarks: 1_000_000 })
        // Without a pause the owner takes nothing meanwhile: the worst case for the queue.
        const depth = yield* Effect.gen(function* () {
          for (let i = 1; i < 1_000_000; i++) yield* manager.markDirty()
          return (yield* manager.status).queueDepth
        }).pipe(Effect.withMaxOpsBeforeYield(Number.MAX_SAFE_INTEGER))
        assert.isAtMost(depth, 1)
        yield* settle
        assert.strictEqual(exporter.flushes.length, 0)
        yield* manager.markDirty()
        yield* settle
        assert.strictEqual(exporter.flushes.length, 1, "the millionth mark reached maxMarks")
      }),
    30_000
  )

  it.scoped("G2, G1: marks and flushNow from many fibers: one flush at a time, every mark covered", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.always(takes("100 millis"))
      const marked: Array<number> = []
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        i =>
          Effect.gen(function* () {
            yield* Effect.sleep((i * 37) % 1_000)
            marked.push(yield* now)
            yield* manager.markDirty()
            if (i % 3 === 0) yield* manager.flushNow
          }),
        { concurrency: "unbounded" }
      ).pipe(Effect.fork)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(marked.length, 100)
      assert.strictEqual(exporter.overlaps, 0)
      const last = exporter.flushes.at(-1)
      assert.isTrue(last !== undefined && last.at >= Math.max(...marked))
      assert.strictEqual((yield* manager.status).phase._tag, "Idle")
    })
  )

  it.scoped("G2, G7: after the scope has closed markDirty is a no-op that does not interrupt its caller", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope } = yield* start()
      yield* Scope.close(scope, Exit.void)
      yield* manager.markDirty()
      yield* manager.markDirty({ full: true })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.flushes, [])
    })
  )
})

describe("when a flush starts", () => {
  it.scoped("G3: 5 seconds after the last mark, by default, and not a millisecond before", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.markDirty()
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(exporter.starts(), [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(exporter.starts(), [5_000])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [5_000], "one flush for one mark")
    })
  )

  it.scoped("G3: each mark restarts the window; a burst is one flush", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      for (const wait of [0, 3_000, 4_999, 1]) {
        yield* TestClock.adjust(wait)
        yield* manager.markDirty()
      }
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [13_000])
    })
  )

  it.scoped("G3: a mark at the very end of the window begins a new one", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.markDirty()
      yield* TestClock.adjust(5_000)
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [5_000, 10_000])
    })
  )

  it.scoped("G3: the window is configurable, also as a Schedule, which begins anew after each flush", () =>
    Effect.gen(function* () {
      const short = yield* start({ debounce: "200 millis" })
      // First mark 1 s, second 2 s, third 3 s.
      const growing = yield* start({ debounce: Schedule.linear("1 second") })
      const ending = yield* start({ debounce: Schedule.stop })
      for (const { manager } of [short, growing, ending]) {
        yield* manager.markDirty()
        yield* settle
        yield* manager.markDirty()
      }
      yield* TestClock.adjust("10 seconds")
      yield* growing.manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(short.exporter.starts(), [200])
      assert.deepStrictEqual(growing.exporter.starts(), [2_000, 11_000])
      assert.deepStrictEqual(ending.exporter.starts(), [0, 0])
    })
  )

  it.scoped("G3: a Schedule that ends with the third mark flushes then, though the window before was longer", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start({
        debounce: Schedule.intersect(Schedule.spaced("10 seconds"), Schedule.recurs(2))
      })
      for (let i = 0; i < 4; i++) {
        yield* manager.markDirty()
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [2_000, 13_000])
    })
  )

  it.scoped("G3: the adaptive window is short for a rare mark and grows to the full one in a burst", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start({ adaptive: true })
      yield* manager.markDirty()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(exporter.starts(), [500])
      // 40 marks 400 ms apart: the burst lasts 15,600 ms, by then the window is the full one.
      for (let i = 0; i < 40; i++) {
        yield* manager.markDirty()
        if (i < 39) yield* TestClock.adjust(400)
      }
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(exporter.starts(), [500, 60_000 + 15_600 + 5_000])
    })
  )

  it.scoped("G3: the adaptive window depends on the times of the marks, not on how many share a message", () =>
    Effect.gen(function* () {
      const apart = yield* start({ adaptive: true })
      const together = yield* start({ adaptive: true })
      for (let i = 0; i < 10; i++) {
        yield* apart.manager.markDirty()
        yield* settle
      }
      for (let i = 0; i < 10; i++) yield* together.manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(apart.exporter.starts(), [500])
      assert.deepStrictEqual(together.exporter.starts(), [500])
    })
  )

  it.scoped("G4: a steady stream is flushed 30 seconds after the first unflushed mark", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      for (let i = 0; i < 100; i++) {
        yield* manager.markDirty()
        yield* TestClock.adjust("1 second")
      }
      // The mark of second 30 comes after the flush of second 30 and begins the next period.
      assert.deepStrictEqual(exporter.starts(), [30_000, 60_000, 90_000])
    })
  )

  it.scoped("G4: maxMarks marks start a flush at once, one less does not", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* Effect.replicateEffect(manager.markDirty(), 999)
      yield* settle
      assert.deepStrictEqual(exporter.starts(), [])
      yield* TestClock.adjust(1)
      yield* manager.markDirty()
      yield* settle
      assert.deepStrictEqual(exporter.starts(), [1])
    })
  )

  it.scoped("G4: maxMarks reached during a flush start the next one as it ends", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start({ maxMarks: 3 })
      exporter.next(takes("10 seconds"))
      yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("9 seconds")
      yield* Effect.replicateEffect(manager.markDirty(), 3)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0, 10_000])
    })
  )

  it.scoped("G4: a slow flush does not lengthen the delay of a mark made while it runs", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("7 seconds"), takes("20 seconds"))
      yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("4 seconds")
      yield* manager.markDirty()
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(exporter.starts(), [0, 9_000], "marked at 4 s, due at 9 s, the flush ended at 7 s")
      yield* TestClock.adjust("1 second")
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0, 9_000, 29_000], "due at 15 s, started as the flush ended")
    })
  )

  it.scoped("G10: a mark that moves the deadline after the timer was set is not forgotten", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.markDirty()
      yield* TestClock.adjust("1 second")
      yield* manager.flushNow
      // The timer of the first mark is still set for 5 s; it must not be the last.
      yield* manager.markDirty()
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(exporter.starts(), [1_000])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(exporter.starts(), [1_000, 6_000])
    })
  )

  it.scoped("G4: marks that an earlier run left are flushed as if made at the start", () =>
    Effect.gen(function* () {
      const { exporter, manager } = yield* start({}, { pending: Effect.succeed(true) })
      yield* settle
      assert.strictEqual((yield* manager.status).phase._tag, "Waiting")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [5_000])
    })
  )

  it.scoped("G4: a slow look for them holds nothing up, and its failure or defect is only a warning", () =>
    Effect.gen(function* () {
      const slow = yield* start({}, { pending: Effect.delay(Effect.succeed(true), "3 seconds") })
      const failing = yield* start({}, { pending: Effect.fail(broken) })
      const dying = yield* start({}, { pending: Effect.die("defect") })
      for (const { manager } of [failing, dying]) yield* manager.markDirty()
      yield* slow.manager.flushNow
      assert.strictEqual(yield* now, 0)
      const clean = yield* Effect.fork(slow.manager.awaitClean)
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.isSuccess(yield* awaitNow(clean)))
      assert.deepStrictEqual(slow.exporter.starts(), [0, 8_000])
      for (const { exporter, logs } of [failing, dying]) {
        assert.deepStrictEqual(exporter.starts(), [5_000])
        assert.deepStrictEqual(
          logs.map(_ => _.level),
          ["WARN"]
        )
      }
    })
  )

  it.scoped("G15: with resume off nothing is looked for, so a command that only reads writes nothing at its end", () =>
    Effect.gen(function* () {
      const { exporter, scope } = yield* start({ resume: false }, { pending: Effect.succeed(true) })
      yield* TestClock.adjust("1 hour")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(exporter.starts(), [])
    })
  )
})

describe("flushNow", () => {
  it.scoped("G5: does not wait for the window, and answers when its flush has ended", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("2 seconds"))
      yield* manager.markDirty()
      const call = yield* Effect.fork(Effect.tap(manager.flushNow, () => now))
      yield* TestClock.adjust(1_999)
      assert.isTrue(Option.isNone(yield* Fiber.poll(call)), "answered while the flush was running")
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* joinNow(call), report)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0], "nothing is left to flush")
    })
  )

  it.scoped("G5: a flush that started before the mark does not cover it: the call waits for the next one", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("10 seconds"), takes("2 seconds"))
      yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("1 second")
      yield* manager.markDirty()
      const call = yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust(10_999)
      assert.deepStrictEqual(exporter.starts(), [0, 10_000])
      assert.isTrue(Option.isNone(yield* Fiber.poll(call)))
      yield* TestClock.adjust(1)
      assert.isTrue(Option.isSome(yield* Fiber.poll(call)))
    })
  )

  it.scoped("G5: calls with no mark since share the running flush; calls after a mark share the next", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.always(takes("10 seconds"))
      yield* manager.markDirty()
      const early = yield* Effect.forkAll(Array.from({ length: 10 }, () => Effect.zipRight(manager.flushNow, now)))
      yield* TestClock.adjust("3 seconds")
      const joined = yield* Effect.fork(Effect.zipRight(manager.flushNow, now))
      yield* settle
      yield* manager.markDirty()
      const late = yield* Effect.forkAll(Array.from({ length: 10 }, () => Effect.zipRight(manager.flushNow, now)))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(new Set(yield* joinNow(early)), new Set([10_000]))
      assert.strictEqual(yield* joinNow(joined), 10_000)
      assert.deepStrictEqual(new Set(yield* joinNow(late)), new Set([20_000]))
      assert.deepStrictEqual(exporter.starts(), [0, 10_000])
    })
  )

  it.scoped("G5: runs a flush even if nothing is marked here, for what other processes left", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.flushNow
      yield* manager.flushNow
      assert.deepStrictEqual(exporter.flushes, [
        { at: 0, full: false },
        { at: 0, full: false }
      ])
    })
  )

  it.scoped("G5: fails with the typed error of its own flush, without waiting for retries", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(fails)
      yield* manager.markDirty()
      assertBroken(yield* Effect.flip(manager.flushNow))
      assert.strictEqual(yield* now, 0)
      assert.deepStrictEqual(exporter.starts(), [0])
    })
  )

  it.scoped("G5: a call that waits behind a flush that fails is answered by its own", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ ...fails, duration: 3_000 }, takes("1 second"))
      const first = yield* Effect.fork(Effect.flip(manager.flushNow))
      yield* settle
      yield* manager.markDirty()
      const second = yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("4 seconds")
      assertBroken(yield* joinNow(first))
      assert.deepStrictEqual(yield* joinNow(second), report)
      assert.deepStrictEqual(exporter.starts(), [0, 3_000], "no wait for the retry either")
    })
  )

  it.scoped("G5: interrupting a caller leaves the flush and the other callers alone", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("2 seconds"))
      const gone = yield* Effect.fork(manager.flushNow)
      const stays = yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(gone)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* joinNow(stays), report)
      assert.strictEqual(exporter.interrupted, 0)
    })
  )

  it.scoped("G5, G6: a defect and an interruption inside the flush answer the caller and do not kill the fiber", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ duration: 0, outcome: Effect.die(new Error("bug")) }, { duration: 0, outcome: Effect.interrupt })
      yield* manager.markDirty()
      const defect = yield* Effect.flip(manager.flushNow)
      assert.isTrue(defect instanceof FlushFailed && defect.reason === "Defect" && /bug/.test(defect.message))
      const interrupted = yield* Effect.flip(manager.flushNow)
      assert.isTrue(interrupted instanceof FlushFailed && interrupted.reason === "Interrupted")
      assert.deepStrictEqual(yield* manager.flushNow, report)
    })
  )

  it.scoped("G6: an exporter that throws instead of answering is a defect like any other", () =>
    Effect.gen(function* () {
      let calls = 0
      const { manager } = yield* start(
        {},
        {
          flush: () => {
            calls++
            throw new Error("thrown")
          }
        }
      )
      assert.isTrue((yield* Effect.flip(manager.flushNow)) instanceof FlushFailed)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(calls, 2)
    })
  )
})

describe("failures", () => {
  it.scoped("G6: retried after 1, 2, 4, 8, 16, 30, 30 … seconds until one succeeds, then it starts over", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(...Array.from({ length: 8 }, () => fails), succeeds, fails)
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      const waits = exporter.starts().map((at, i, all) => at - (all[i - 1] ?? 0))
      assert.deepStrictEqual(waits, [5_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts().slice(-2), [3_605_000, 3_606_000])
    })
  )

  it.scoped("G6: marks while failing do not hammer: the retry schedule alone governs", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start({ retryBase: "20 seconds", maxMarks: 3 })
      exporter.next(fails)
      yield* manager.markDirty()
      yield* TestClock.adjust("5 seconds")
      for (let i = 0; i < 19; i++) {
        yield* manager.markDirty()
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(exporter.starts(), [5_000])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [5_000, 25_000], "one flush for all of them")
    })
  )

  it.scoped(
    "G6: each failure is a warning with its cause, the third in a row a prominent one that says how to recover",
    () =>
      Effect.gen(function* () {
        const { manager, exporter, logs } = yield* start()
        exporter.next(fails, fails, fails, fails)
        yield* manager.markDirty()
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(
          logs.map(log => log.level),
          ["WARN", "WARN", "ERROR", "WARN"]
        )
        for (const log of logs) assert.include(log.cause, broken.detail)
        assert.include(logs[2]?.text, "bd flush")
        // G32: nothing to paste that destroys.
        assert.notMatch(logs[2]?.text ?? "", /\b(rm|reset|checkout|clean|restore|--force|delete)\b/)
      })
  )

  it.scoped("G6: two failures, a success, two failures are not three in a row", () =>
    Effect.gen(function* () {
      const { manager, exporter, logs } = yield* start()
      exporter.next(fails, fails, succeeds, fails, fails)
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(
        logs.map(log => log.level),
        ["WARN", "WARN", "WARN", "WARN"]
      )
    })
  )

  it.scoped("G6: after a flushNow that failed with nothing marked here, what others left is tried again", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(fails)
      yield* Effect.flip(manager.flushNow)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0, 1_000])
    })
  )
})

describe("what is logged", () => {
  it.scoped("G24: what the exporter says inside a flush does not pass for the manager's own", () =>
    Effect.gen(function* () {
      const { manager, logs } = yield* start(
        {},
        { flush: () => Effect.zipRight(Effect.logWarning("two issues under one id"), Effect.fail(broken)) }
      )
      yield* Effect.flip(manager.flushNow)
      assert.deepStrictEqual(
        logs.map(({ module, text }) => [module, text.slice(0, 12)]),
        [
          [undefined, "two issues u"],
          ["FlushManager", "flush failed"]
        ]
      )
    })
  )
})

describe("full export", () => {
  it.scoped("G8: once asked for, the next flush is full, whatever marks come between; the one after is not", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.markDirty({ full: true })
      yield* manager.markDirty()
      yield* settle
      yield* manager.markDirty({ full: false })
      yield* manager.flushNow
      yield* manager.markDirty()
      yield* manager.flushNow
      assert.deepStrictEqual(
        exporter.flushes.map(flush => flush.full),
        [true, false]
      )
    })
  )

  it.scoped("G8: it survives failed flushes until one succeeds", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(fails, fails, succeeds)
      yield* manager.markDirty({ full: true })
      yield* TestClock.adjust("5 seconds")
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      yield* manager.flushNow
      assert.deepStrictEqual(
        exporter.flushes.map(flush => flush.full),
        [true, true, true, false]
      )
    })
  )

  it.scoped("G8: asked for while a flush runs, it belongs to the next", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("1 second"))
      yield* Effect.fork(manager.flushNow)
      yield* settle
      yield* manager.markDirty({ full: true })
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(
        exporter.flushes.map(flush => flush.full),
        [false, true]
      )
    })
  )
})

describe("shutdown", () => {
  it.scoped("G7: a mark queued just before it is flushed, however the scope closes", () =>
    Effect.gen(function* () {
      for (const exit of [Exit.void, Exit.fail("typed"), Exit.interrupt(Effect.runSync(Effect.fiberId))]) {
        const { manager, exporter, scope } = yield* start()
        yield* manager.markDirty()
        yield* Scope.close(scope, exit)
        assert.strictEqual(exporter.flushes.length, 1)
        assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
      }
    })
  )

  it.scoped("G7: marks that stand in the queue with the shutdown behind them are taken in", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* settle
      // No pause between them, so the owner finds all of it at once.
      yield* manager.markDirty()
      yield* manager.markDirty({ full: true })
      yield* manager.shutdown
      assert.deepStrictEqual(exporter.flushes, [{ at: 0, full: true }])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
    })
  )

  it.scoped("G7: it waits for the running flush, then flushes what was marked meanwhile", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope } = yield* start()
      exporter.always(takes("10 seconds"))
      yield* Effect.fork(manager.flushNow)
      yield* TestClock.adjust("1 second")
      yield* manager.markDirty()
      const closing = yield* Effect.fork(Effect.zipRight(Scope.close(scope, Exit.void), now))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* joinNow(closing), 20_000)
      assert.deepStrictEqual(exporter.starts(), [0, 10_000])
    })
  )

  it.scoped("G7: clean, it flushes nothing and ends at once", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope, logs } = yield* start()
      yield* manager.markDirty()
      yield* manager.flushNow
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* now, 0)
      assert.strictEqual(exporter.flushes.length, 1)
      assert.deepStrictEqual(logs, [])
    })
  )

  it.scoped("G7: it stops taking marks", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("1 second"))
      yield* manager.markDirty()
      const ending = yield* Effect.fork(manager.shutdown)
      yield* settle
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      yield* joinNow(ending)
      assert.deepStrictEqual(exporter.starts(), [0])
    })
  )

  it.scoped("G5, G7: a mark that came too late for the last flush is not said to be published", () =>
    Effect.gen(function* () {
      const { manager, exporter, logs } = yield* start()
      exporter.next(takes("1 second"))
      yield* manager.markDirty()
      const ending = yield* Effect.fork(manager.shutdown)
      yield* settle
      yield* manager.markDirty()
      const call = yield* Effect.fork(Effect.flip(manager.flushNow))
      yield* TestClock.adjust("1 second")
      yield* joinNow(ending)
      assert.isTrue((yield* joinNow(call)) instanceof FlushManagerClosed)
      assert.isTrue((yield* Effect.flip(manager.flushNow)) instanceof FlushManagerClosed)
      assert.deepStrictEqual(exporter.starts(), [0])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
      assert.deepStrictEqual(
        logs.map(log => log.level),
        ["ERROR"]
      )
    })
  )

  it.scoped("G5, G7: a mark made while the shutdown waits for a flush goes with the last one, if there is one", () =>
    Effect.gen(function* () {
      const { manager, exporter, logs } = yield* start()
      exporter.next(takes("1 second"))
      const running = yield* Effect.fork(manager.flushNow)
      yield* settle
      const ending = yield* Effect.fork(manager.shutdown)
      yield* settle
      yield* manager.markDirty()
      const call = yield* Effect.fork(Effect.zipRight(manager.flushNow, Effect.sync(exporter.starts)))
      yield* TestClock.adjust("1 second")
      yield* joinNow(running)
      yield* joinNow(ending)
      assert.deepStrictEqual(yield* joinNow(call), [0, 1_000], "the flush that ran at the mark does not cover it")
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
      assert.deepStrictEqual(logs, [])
    })
  )

  it.scoped("G5, G7: a mark after the end is a no-op, and flushNow does not say that it was published", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.shutdown
      yield* manager.flushNow
      yield* manager.markDirty()
      assert.isTrue((yield* Effect.flip(manager.flushNow)) instanceof FlushManagerClosed)
      assert.isTrue((yield* Effect.flip(manager.awaitClean)) instanceof FlushManagerClosed)
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
      assert.deepStrictEqual(exporter.flushes, [])
    })
  )

  it.scoped("G7: an owner that breaks says so and leaves nobody waiting", () =>
    Effect.gen(function* () {
      const debounce = Schedule.map(Schedule.forever, (): never => {
        throw new Error("schedule of the embedder")
      })
      const { manager, scope, logs } = yield* start({ debounce })
      yield* manager.markDirty()
      const call = yield* Effect.fork(Effect.flip(manager.flushNow))
      yield* settle
      assert.isTrue((yield* joinNow(call)) instanceof FlushManagerClosed)
      assert.isTrue((yield* Effect.flip(manager.awaitClean)) instanceof FlushManagerClosed)
      yield* Scope.close(scope, Exit.void)
      assert.include(logs[0]?.cause, "schedule of the embedder")
    })
  )

  it.scoped("G7: a last flush that fails is not repeated: it ends loudly, and the calls say so", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope, logs } = yield* start()
      exporter.always(fails)
      yield* manager.markDirty()
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* now, 0)
      assert.deepStrictEqual(exporter.starts(), [0])
      assert.deepStrictEqual(
        logs.map(log => log.level),
        ["WARN", "ERROR"]
      )
      assert.include(logs[1]?.text, "kept in the store")
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
      assert.isTrue((yield* Effect.flip(manager.flushNow)) instanceof FlushManagerClosed)
      assert.isTrue((yield* Effect.flip(manager.awaitClean)) instanceof FlushManagerClosed)
    })
  )

  it.scoped("G11: without retries a failed flush is the last one: no timer and no shutdown tries it again", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope, logs } = yield* start({ retries: false })
      exporter.next(fails)
      yield* manager.markDirty()
      assertBroken(yield* Effect.flip(manager.flushNow))
      const { cause, ...failing } = { cause: undefined, ...(yield* manager.status).phase }
      assert.deepStrictEqual(failing, { _tag: "Failing", attempt: 1, due: undefined })
      assertBroken(cause)
      yield* TestClock.adjust("1 hour")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(exporter.starts(), [0])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
      // who called has the failure, and tells of it
      assert.deepStrictEqual(
        logs.map(({ level }) => level),
        ["WARN", "WARN"]
      )
    })
  )

  it.scoped(
    "G7, G11: without retries a failure that nobody was told of, or a mark that came after it, is an error at the end",
    () =>
      Effect.gen(function* () {
        const untold = yield* start({ retries: false })
        untold.exporter.next(fails)
        yield* untold.manager.markDirty()
        yield* Scope.close(untold.scope, Exit.void)
        assert.strictEqual(untold.logs.at(-1)?.level, "ERROR")

        const later = yield* start({ retries: false })
        later.exporter.next(fails, fails)
        yield* later.manager.markDirty()
        assertBroken(yield* Effect.flip(later.manager.flushNow))
        yield* later.manager.markDirty()
        yield* Scope.close(later.scope, Exit.void)
        assert.strictEqual(later.logs.at(-1)?.level, "ERROR")
      })
  )

  it.scoped("G11, G5: without retries a call or a mark after a failed flush is a new attempt", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope } = yield* start({ retries: false })
      exporter.next(fails, fails, fails)
      yield* manager.markDirty()
      assertBroken(yield* Effect.flip(manager.flushNow))
      assertBroken(yield* Effect.flip(manager.flushNow))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0, 0])
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(exporter.starts(), [0, 0, 3_600_000], "the first mark has waited past maxDelay")
      yield* manager.markDirty()
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(exporter.starts(), [0, 0, 3_600_000, 7_200_000])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
    })
  )

  it.scoped("G7: a running flush that fails during the shutdown is tried once more", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ ...fails, duration: 1_000 }, succeeds)
      yield* manager.markDirty({ full: true })
      yield* Effect.fork(Effect.flip(manager.flushNow))
      yield* settle
      const ending = yield* Effect.fork(manager.shutdown)
      yield* TestClock.adjust("1 second")
      yield* joinNow(ending)
      assert.deepStrictEqual(exporter.flushes, [
        { at: 0, full: true },
        { at: 1_000, full: true }
      ])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
    })
  )

  for (const [what, hung] of [
    ["that hangs", hangs()],
    ["that hangs where it cannot be interrupted", { duration: 0, outcome: Effect.uninterruptible(Effect.never) }]
  ] as const) {
    it.scoped(`G7: a flush ${what} does not hold the scope longer than shutdownTimeout`, () =>
      Effect.gen(function* () {
        const { manager, exporter, scope, logs } = yield* start()
        exporter.always(hung)
        yield* manager.markDirty()
        const call = yield* Effect.fork(Effect.flip(manager.flushNow))
        const clean = yield* Effect.fork(Effect.flip(manager.awaitClean))
        yield* settle
        const closing = yield* Effect.fork(Effect.zipRight(Scope.close(scope, Exit.void), now))
        yield* TestClock.adjust(29_999)
        assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* joinNow(closing), 30_000)
        assert.isTrue((yield* joinNow(call)) instanceof FlushManagerClosed)
        assert.isTrue((yield* joinNow(clean)) instanceof FlushManagerClosed)
        assert.deepStrictEqual(
          logs.map(log => log.level),
          ["ERROR"]
        )
        assert.strictEqual(exporter.interrupted, what === "that hangs" ? 1 : 0)
      })
    )
  }

  it.scoped("G7: the bound holds for running and last flush together", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start({ shutdownTimeout: "15 seconds" })
      exporter.always(takes("10 seconds"))
      yield* Effect.fork(manager.flushNow)
      yield* settle
      yield* manager.markDirty()
      const ending = yield* Effect.fork(Effect.zipRight(manager.shutdown, now))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* joinNow(ending), 15_000)
      assert.deepStrictEqual(exporter.starts(), [0, 10_000])
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
    })
  )

  it.scoped("G7: it is idempotent: calls at the same time, calls after, and the finalizer flush once", () =>
    Effect.gen(function* () {
      const { manager, exporter, scope } = yield* start()
      exporter.always(takes("1 second"))
      yield* manager.markDirty()
      const calls = yield* Effect.forkAll(Array.from({ length: 5 }, () => Effect.zipRight(manager.shutdown, now)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(new Set(yield* joinNow(calls)), new Set([1_000]))
      yield* manager.shutdown
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* now, 1_000)
      assert.deepStrictEqual(exporter.starts(), [0])
    })
  )

  it.scoped("G7: an interrupted caller of shutdown does not stop it", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("1 second"))
      yield* manager.markDirty()
      const call = yield* Effect.fork(manager.shutdown)
      yield* settle
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: false })
      assert.strictEqual(exporter.interrupted, 0)
    })
  )

  it.scoped("G7: afterwards flushNow is a no-op if nothing is unflushed", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.markDirty()
      yield* manager.shutdown
      assert.deepStrictEqual(yield* manager.flushNow, { ...report, mode: "unchanged", written: 0, duration: 0 })
      yield* manager.awaitClean
      assert.strictEqual(exporter.flushes.length, 1)
    })
  )

  it.scoped("G7: a flushNow behind the shutdown shares the last flush; none is left without an answer", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.always(takes("1 second"))
      yield* manager.markDirty()
      const ending = yield* Effect.fork(manager.shutdown)
      const calls = yield* Effect.forkAll(Array.from({ length: 20 }, () => manager.flushNow))
      yield* TestClock.adjust("1 second")
      const more = yield* Effect.forkAll(Array.from({ length: 20 }, () => manager.flushNow))
      yield* settle
      yield* joinNow(ending)
      assert.strictEqual((yield* joinNow(calls)).length, 20)
      assert.strictEqual((yield* joinNow(more)).length, 20)
      assert.deepStrictEqual(exporter.starts(), [0])
    })
  )

  it.scoped("G7: calls that stand in the queue as it ends are answered too", () =>
    Effect.gen(function* () {
      for (const flush of [succeeds, fails]) {
        const { manager, exporter } = yield* start()
        exporter.always(flush)
        if (flush === fails) yield* Effect.flip(manager.flushNow)
        yield* settle
        // The shutdown is handed to the waiting owner; the calls stand behind it, and the clean one ends at once.
        const ending = yield* Effect.fork(manager.shutdown)
        const calls = yield* Effect.forkAll([
          Effect.exit(manager.flushNow),
          Effect.exit(Effect.as(manager.awaitClean, report))
        ])
        yield* settle
        yield* joinNow(ending)
        assert.deepStrictEqual((yield* joinNow(calls)).map(Exit.isSuccess), [flush === succeeds, flush === succeeds])
      }
    })
  )

  it.scoped("G7: a look for old marks that hangs does not hold it up", () =>
    Effect.gen(function* () {
      const { scope } = yield* start({}, { pending: Effect.uninterruptible(Effect.never) })
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* now, 0)
    })
  )

  it.scoped("G7: as a layer it ends before the exporter is released", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const exporter = Layer.scoped(
        Exporter,
        Effect.acquireRelease(
          Effect.succeed(
            Exporter.of({
              flush: () =>
                Effect.as(
                  Effect.sync(() => events.push("flush")),
                  report
                ),
              pending: Effect.succeed(false)
            })
          ),
          () => Effect.sync(() => events.push("released"))
        )
      )
      yield* Effect.flatMap(Manager, manager => manager.markDirty()).pipe(
        Effect.provide(FlushManager.layer.pipe(Layer.provide([exporter, FlushOptions.layer()])))
      )
      assert.deepStrictEqual(events, ["flush", "released"])
    })
  )
})

describe("status", () => {
  it.scoped("G9: idle, waiting since and due, flushing, failing, closed", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ ...fails, duration: 1_000 }, takes("1 second"))
      const phase = Effect.map(Effect.zipRight(settle, manager.status), status => status.phase)
      assert.deepStrictEqual(yield* phase, { _tag: "Idle" })
      yield* TestClock.adjust("1 second")
      yield* manager.markDirty({ full: true })
      assert.deepStrictEqual(yield* phase, { _tag: "Waiting", since: 1_000, due: 6_000 })
      yield* TestClock.adjust("2 seconds")
      yield* manager.markDirty()
      assert.deepStrictEqual(yield* phase, { _tag: "Waiting", since: 1_000, due: 8_000 })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* phase, { _tag: "Flushing", since: 8_000, full: true })
      yield* TestClock.adjust("1 second")
      const { cause, ...failing } = { cause: undefined, ...(yield* phase) }
      assert.deepStrictEqual(failing, { _tag: "Failing", attempt: 1, due: 10_000 })
      assertBroken(cause)
      assert.strictEqual((yield* manager.status).lastReport, undefined)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* phase, { _tag: "Idle" })
      assert.deepStrictEqual((yield* manager.status).lastReport, report)
      yield* manager.shutdown
      assert.deepStrictEqual(yield* phase, { _tag: "Closed", unflushed: false })
    })
  )

  it.scoped("G9: what is pending, whether all of it is compared, the last flush and the last failure", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ ...fails, duration: 1_000 }, takes("1 second"))
      const status = Effect.map(
        Effect.zipRight(settle, manager.status),
        ({ full, lastFailure, lastFlushed, pending }) => ({ pending, full, lastFlushed, failedAt: lastFailure?.at })
      )
      const untouched = { lastFlushed: undefined, failedAt: undefined }
      assert.deepStrictEqual(yield* status, { pending: 0, full: false, ...untouched })
      yield* manager.markDirty()
      yield* manager.markDirty({ full: true })
      assert.deepStrictEqual(yield* status, { pending: 2, full: true, ...untouched })
      yield* TestClock.adjust("5 seconds")
      yield* manager.markDirty()
      assert.deepStrictEqual(yield* status, { pending: 3, full: true, ...untouched }, "two of them in flight")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* status, { pending: 3, full: true, lastFlushed: undefined, failedAt: 6_000 })
      assertBroken((yield* manager.status).lastFailure?.cause)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* status, { pending: 0, full: false, lastFlushed: 8_000, failedAt: 6_000 })
    })
  )

  it.scoped("G9: changes gives the status at once, then transitions only, and ends with closed", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("1 second"), fails)
      const seen = yield* Effect.fork(Stream.runCollect(manager.changes))
      yield* settle
      for (let i = 0; i < 10; i++) {
        yield* manager.markDirty()
        yield* TestClock.adjust(10)
      }
      yield* TestClock.adjust("1 minute")
      yield* manager.markDirty()
      yield* TestClock.adjust("1 minute")
      yield* manager.shutdown
      // The manager has ended; the one who watches it still has to hear of it.
      yield* settle
      const tags = Chunk.toReadonlyArray(yield* joinNow(seen)).map(status => status.phase._tag)
      assert.deepStrictEqual(tags, [
        "Idle",
        "Waiting",
        "Flushing",
        "Idle",
        "Waiting",
        "Flushing",
        "Failing",
        "Flushing",
        "Idle",
        "Closed"
      ])
      const late = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.changes))
      assert.deepStrictEqual(
        late.map(status => status.phase._tag),
        ["Closed"]
      )
    })
  )

  it.scoped("G9: a flush that ends as the next one is due is seen to end, with its report or its cause", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next({ ...fails, duration: 1_000 }, takes("1 second"), takes("1 second"))
      const seen = yield* Effect.fork(Stream.runCollect(manager.changes))
      yield* settle
      for (let i = 0; i < 3; i++) {
        yield* manager.markDirty()
        yield* Effect.fork(Effect.exit(manager.flushNow))
        yield* TestClock.adjust(i === 0 ? 500 : 1_000)
      }
      yield* TestClock.adjust("1 hour")
      yield* manager.shutdown
      yield* settle
      const phases = Chunk.toReadonlyArray(yield* joinNow(seen)).map(({ lastReport, phase }) => ({
        tag: phase._tag,
        reported: lastReport !== undefined
      }))
      assert.deepStrictEqual(phases, [
        { tag: "Idle", reported: false },
        { tag: "Waiting", reported: false },
        { tag: "Flushing", reported: false },
        { tag: "Failing", reported: false },
        { tag: "Flushing", reported: false },
        { tag: "Waiting", reported: true },
        { tag: "Flushing", reported: true },
        { tag: "Idle", reported: true },
        { tag: "Closed", reported: true }
      ])
    })
  )

  it.scoped("G9: a thousand marks, each taken in by itself, are one transition", () =>
    Effect.gen(function* () {
      const { manager } = yield* start()
      let published = 0
      yield* Effect.fork(Stream.runForEach(manager.changes, () => Effect.sync(() => published++)))
      yield* settle
      // With a pause after each, so that each is a message of its own.
      yield* Effect.repeatN(Effect.zipRight(manager.markDirty(), Effect.yieldNow()), 998)
      yield* settle
      assert.strictEqual(published, 2, "idle, then waiting")
    })
  )

  it.scoped("G9: queue depth counts what the owner has not taken in", () =>
    Effect.gen(function* () {
      const { manager } = yield* start()
      yield* settle
      // The first call is handed to the waiting owner, the other two stand behind it until it runs.
      yield* Effect.forkAll([manager.flushNow, manager.flushNow, manager.flushNow])
      yield* Effect.yieldNow()
      assert.strictEqual((yield* manager.status).queueDepth, 2)
      yield* settle
      assert.strictEqual((yield* manager.status).queueDepth, 0)
    })
  )

  it.scoped("G9: awaitClean answers at once when clean, else when all is flushed, through retries", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      yield* manager.awaitClean
      exporter.next(fails, takes("2 seconds"))
      yield* manager.markDirty()
      const clean = yield* Effect.fork(Effect.zipRight(manager.awaitClean, now))
      yield* TestClock.adjust(7_999)
      assert.isTrue(Option.isNone(yield* Fiber.poll(clean)))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* joinNow(clean), 8_000)
      assert.deepStrictEqual(exporter.starts(), [5_000, 6_000])
    })
  )

  it.scoped("G9: awaitClean waits for marks made while it waits", () =>
    Effect.gen(function* () {
      const { manager, exporter } = yield* start()
      exporter.next(takes("3 seconds"))
      yield* manager.markDirty()
      const clean = yield* Effect.fork(Effect.zipRight(manager.awaitClean, now))
      yield* TestClock.adjust("6 seconds")
      yield* manager.markDirty()
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* joinNow(clean), 11_000)
    })
  )
})

// ---- a manager over an exporter that does as told

interface Flush {
  readonly duration: Duration.DurationInput
  readonly outcome: Effect.Effect<FlushReport, FlushFailed>
}

const report: FlushReport = { mode: "incremental", written: 1, removed: 0, bytes: 100, duration: 1 }
const broken = new FlushFailed({ reason: "IssueFileFailure", detail: "no space left on device" })
/** By its fields: an error that passed a span is a proxy of the one that failed. */
const assertBroken = (error: unknown) =>
  assert.isTrue(error instanceof FlushFailed && error.reason === broken.reason && error.detail === broken.detail)
const succeeds: Flush = { duration: 0, outcome: Effect.succeed(report) }
const fails: Flush = { duration: 0, outcome: Effect.fail(broken) }
const hang: Flush = hangs()
function hangs(): Flush {
  return { duration: 0, outcome: Effect.never }
}
const takes = (duration: Duration.DurationInput): Flush => ({ ...succeeds, duration })

const now = Clock.currentTimeMillis
/** The exit of a fiber that must have ended by now: one that still waits fails the test instead of hanging it. */
const awaitNow = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.flatMap(
    Fiber.poll(fiber),
    Option.match({
      onNone: () => Effect.dieMessage("still waiting"),
      onSome: exit => Effect.succeed(exit)
    })
  )
const joinNow = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> => Effect.flatten(awaitNow(fiber))
/** Lets every fiber run until it waits, without moving the clock. */
const settle = TestClock.adjust(0)

const start = Effect.fnUntraced(function* (
  options: Partial<FlushOptions.FlushOptions["Type"]> = {},
  overrides: Partial<Exporter["Type"]> = {}
) {
  const script: Array<Flush> = []
  let usual = succeeds
  let running = 0
  const exporter = {
    flushes: [] as Array<{ readonly at: number; readonly full: boolean }>,
    overlaps: 0,
    interrupted: 0,
    starts: () => exporter.flushes.map(flush => flush.at),
    /** The next flushes go like this, */
    next: (...flushes: Array<Flush>) => void script.push(...flushes),
    /** all others like this. */
    always: (flush: Flush) => {
      usual = flush
    }
  }
  const service = Exporter.of({
    pending: Effect.succeed(false),
    flush: ({ full }) =>
      Effect.gen(function* () {
        exporter.flushes.push({ at: yield* now, full })
        if (running++ > 0) exporter.overlaps++
        const { duration, outcome } = script.shift() ?? usual
        if (Duration.toMillis(duration) > 0) yield* Effect.sleep(duration)
        return yield* outcome
      }).pipe(
        Effect.onInterrupt(() => Effect.sync(() => exporter.interrupted++)),
        Effect.ensuring(Effect.sync(() => running--))
      ),
    ...overrides
  })

  const logs: Array<{
    readonly level: LogLevel.LogLevel["label"]
    readonly text: string
    readonly cause: string
    readonly module: unknown
  }> = []
  const logger = Logger.make(({ annotations, logLevel, message, cause }) => {
    const module = Option.getOrUndefined(HashMap.get(annotations, "module"))
    logs.push({ level: logLevel.label, text: String(message), cause: Cause.pretty(cause), module })
  })

  const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
    // A test that leaves a flush hanging must not wait for virtual time at its end.
    Effect.forkDaemon(Scope.close(scope, exit))
  )
  const context = yield* FlushManager.layer.pipe(
    Layer.provide([Layer.succeed(Exporter, service), FlushOptions.layer(options)]),
    Layer.buildWithScope(scope),
    // Round the build, not in it: in the scope it would catch the logs of the test's other managers too.
    Effect.provide(Logger.replace(Logger.defaultLogger, logger))
  )
  return { manager: Context.get(context, Manager), exporter, logs, scope }
}, Effect.orDie)
