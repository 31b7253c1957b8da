/** How far long work is, as it is told to whoever listens. */
import { assert, it, vi } from "@effect/vitest"
import { Chunk, Context, Effect, Fiber, Layer, Stream } from "effect"
import * as Progress from "../../src/flush/Progress.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"

vi.setConfig({ testTimeout: 30_000 })

const input = (count: number) =>
  Buffer.from(
    Array.from(
      { length: count },
      (_, i) =>
        `${JSON.stringify({
          id: `test-${String(i).padStart(5, "0")}`,
          title: `t${i}`,
          status: "open",
          priority: 2,
          created_at: "2026-01-01T00:00:00Z",
          updated_at: "2026-01-01T00:00:00Z"
        })}\n`
    ).join("")
  )

it.effect("G2: an import and its flush tell each stage from 0 to its total, and the storing in portions", () =>
  Effect.gen(function* () {
    const events: Array<Progress.ProgressEvent> = []
    const bytes = input(1_200)
    yield* Effect.gen(function* () {
      const tracker = yield* Tracker
      yield* tracker.import(bytes)
      yield* tracker.flushNow()
    }).pipe(
      Effect.provide(Testing.layer().pipe(Layer.provide(Progress.layerCallback(event => void events.push(event)))))
    )
    const told = (operation: string, stage: string) =>
      events
        .filter(event => event.operation === operation && event.stage === stage)
        .map(({ done, total }) => [done, total])
    const size = bytes.byteLength
    assert.deepStrictEqual(told("import", "read"), [
      [0, size],
      [size, size]
    ])
    assert.deepStrictEqual(
      told("import", "store").map(([done]) => done),
      [0, 500, 1_000, 1_200]
    )
    assert.deepStrictEqual(told("flush", "write"), [
      [0, size],
      [size, size]
    ])
    assert.deepStrictEqual(told("flush", "clear"), [
      [0, 1_200],
      [1_200, 1_200]
    ])
    assert.deepStrictEqual(
      events.filter(({ done }) => done === 0).map(({ operation, stage }) => `${operation} ${stage}`),
      ["import read", "import store", "flush write", "flush clear"]
    )
  })
)

it.scoped("G2: as a stream, while the import runs", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Testing.layer().pipe(Layer.provideMerge(Progress.layer)))
    const { events } = Context.get(context, Progress.Progress)
    const portions = events.pipe(
      Stream.filter(({ stage }) => stage === "store"),
      Stream.map(({ done }) => done),
      Stream.take(4),
      Stream.runCollect
    )
    const listening = yield* Effect.fork(portions)
    yield* Effect.yieldNow()
    yield* Context.get(context, Tracker).import(input(1_200))
    assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(listening)), [0, 500, 1_000, 1_200])
  })
)

it.effect("G2: nothing has to be provided where nobody listens", () =>
  Effect.gen(function* () {
    const { events, report } = yield* Progress.Progress
    report({ operation: "flush", stage: "write", done: 0, total: 1 })
    assert.strictEqual(Chunk.size(yield* Stream.runCollect(events)), 0)
  })
)
