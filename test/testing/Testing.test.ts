/** The assembly in memory that embedders test with: the real parts, at virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Stream, TestClock } from "effect"
import { FlushManager, Testing, Tracker } from "../../src/index.ts"

const text = Effect.flatMap(Testing.TestFile, file =>
  Effect.map(
    file.text,
    Option.getOrElse(() => "")
  )
)

describe("Testing", () => {
  it.scoped("G3, G10: a change is in the file after the debounce, not before", () =>
    Effect.gen(function* () {
      const tracker = yield* Tracker.Tracker
      const { id } = yield* tracker.create({ title: "one" })
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(yield* text, "")
      yield* TestClock.adjust("1 millis")
      assert.include(yield* text, `{"id":"${id}","title":"one"`)
      assert.match(id, /^test-/)
    }).pipe(Effect.provide(Testing.layer()))
  )

  it.scoped("G5, G20: what another program writes is seen at once, and merged with what waits", () =>
    Effect.gen(function* () {
      const tracker = yield* Tracker.Tracker
      const file = yield* Testing.TestFile
      const { id } = yield* tracker.create({ title: "one" })
      yield* tracker.flushNow()
      yield* tracker.update(id, { notes: "mine" })
      yield* file.write((yield* text).replace('"one"', '"theirs"'))
      const { issue } = yield* tracker.show(id)
      assert.deepStrictEqual([issue.title, issue.notes], ["theirs", "mine"])
      yield* tracker.flushNow()
      assert.include(yield* text, '"title":"theirs","notes":"mine"')
    }).pipe(Effect.provide(Testing.layer()))
  )

  it.scoped("G9: the status can be watched", () =>
    Effect.gen(function* () {
      const tracker = yield* Tracker.Tracker
      const manager = yield* FlushManager.FlushManager
      const phases = yield* manager.changes.pipe(
        Stream.map(status => status.phase._tag),
        Stream.take(4),
        Stream.runCollect,
        Effect.fork
      )
      yield* Effect.yieldNow()
      yield* tracker.create({ title: "one" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([...(yield* Fiber.join(phases))], ["Idle", "Waiting", "Flushing", "Idle"])
    }).pipe(Effect.provide(Testing.layer({ flushOptions: { debounce: "5 seconds" } })))
  )

  it.scoped("each build is a fresh one", () =>
    Effect.gen(function* () {
      const create = Effect.flatMap(Tracker.Tracker, tracker =>
        Effect.zipRight(tracker.create({ title: "one" }), tracker.list({}))
      )
      const first = yield* Effect.provide(create, Testing.layer())
      const second = yield* Effect.provide(create, Testing.layer())
      assert.deepStrictEqual([first.total, second.total], [1, 1])
    })
  )
})
