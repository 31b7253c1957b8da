import { assert, describe, it } from "@effect/vitest"
import { Chunk, ConfigProvider, Duration, Effect, Exit, Layer, Schedule } from "effect"
import * as FlushOptions from "../../src/flush/FlushOptions.ts"

const options = (layer: Layer.Layer<FlushOptions.FlushOptions, unknown>) =>
  Effect.provide(FlushOptions.FlushOptions, layer)

const withEnvironment = (entries: ReadonlyArray<readonly [string, string]>) =>
  FlushOptions.layerConfig().pipe(
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(entries), { pathDelim: "_" })))
  )

describe("FlushOptions", () => {
  it.effect("G3, G4, G7: the defaults are 5 s, 30 s, 1,000 marks, 30 s, not adaptive", () =>
    Effect.gen(function* () {
      for (const layer of [FlushOptions.layer(), withEnvironment([])]) {
        const { adaptive, debounce, maxDelay, maxMarks, resume, shutdownTimeout } = yield* options(layer)
        assert.deepStrictEqual({ adaptive, maxMarks, resume }, { adaptive: false, maxMarks: 1_000, resume: true })
        assert.isTrue(Duration.isDuration(debounce) && Duration.toSeconds(debounce) === 5)
        assert.strictEqual(Duration.toSeconds(maxDelay), 30)
        assert.strictEqual(Duration.toSeconds(shutdownTimeout), 30)
      }
    })
  )

  it.effect("G3: given options replace defaults, and go before the environment", () =>
    Effect.gen(function* () {
      const given = yield* options(FlushOptions.layer({ maxMarks: 7 }))
      assert.strictEqual(given.maxMarks, 7)
      assert.strictEqual(given.shutdownTimeout, FlushOptions.defaults.shutdownTimeout)
      const both = yield* options(
        FlushOptions.layerConfig({ maxMarks: 7 }).pipe(
          Layer.provide(
            Layer.setConfigProvider(
              ConfigProvider.fromMap(
                new Map([
                  ["BD_FLUSH_MAX_MARKS", "8"],
                  ["BD_FLUSH_MAX_DELAY", "9s"]
                ])
              )
            )
          )
        )
      )
      assert.strictEqual(both.maxMarks, 7)
      assert.strictEqual(Duration.toSeconds(both.maxDelay), 9)
    })
  )

  it.effect("G3: durations in the environment are read as Go and as Effect write them", () =>
    Effect.gen(function* () {
      for (const [text, millis] of [
        ["5s", 5_000],
        ["500ms", 500],
        ["1.5s", 1_500],
        ["2m", 120_000],
        ["0s", 0],
        ["3 seconds", 3_000]
      ] as const) {
        const { debounce } = yield* options(withEnvironment([["BD_FLUSH_DEBOUNCE", text]]))
        assert.isTrue(Duration.isDuration(debounce) && Duration.toMillis(debounce) === millis, text)
      }
    })
  )

  it.effect("G3: a value that makes no sense is refused, not replaced by something else", () =>
    Effect.gen(function* () {
      for (const [name, value] of [
        ["BD_FLUSH_DEBOUNCE", "soon"],
        ["BD_FLUSH_DEBOUNCE", "-5 seconds"],
        ["BD_FLUSH_DEBOUNCE", ""],
        ["BD_FLUSH_DEBOUNCE", "5"],
        ["BD_FLUSH_MAX_MARKS", "0"],
        ["BD_FLUSH_MAX_MARKS", "1.5"],
        ["BD_FLUSH_ADAPTIVE", "perhaps"]
      ] as const) {
        const exit = yield* Effect.exit(options(withEnvironment([[name, value]])))
        assert.isTrue(Exit.isFailure(exit), `${name}=${value}`)
      }
    })
  )

  it.effect("G6: the retry schedule doubles up to the cap, and neither ends nor overflows", () =>
    Effect.gen(function* () {
      for (const retryBase of ["1 second", "1500 micros"] as const) {
        const delays = yield* Schedule.run(
          Schedule.delays(FlushOptions.retrySchedule({ ...FlushOptions.defaults, retryBase })),
          0,
          Array.from({ length: 3_000 })
        )
        const millis = Chunk.toReadonlyArray(delays).map(delay => Duration.toMillis(delay))
        assert.strictEqual(millis.length, 3_000)
        assert.strictEqual(millis[0], Duration.toMillis(retryBase))
        assert.strictEqual(millis[1], 2 * Duration.toMillis(retryBase))
        assert.isTrue(millis.slice(20).every(delay => delay === 30_000))
      }
    })
  )
})
