/** The bar on a terminal: when it shows, what it shows, and that it is never in the way of the answer. */
import { describe, expect, it, vi } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as ProgressBar from "../../src/cli/ProgressBar.ts"
import { project } from "./harness.ts"

vi.setConfig({ testTimeout: 30_000 })

const event = { operation: "import", stage: "store", done: 500, total: 1_000 } as const

describe("the bar", () => {
  it("contract: says what is done and how far it is", () => {
    expect(ProgressBar.render(event)).toBe(`Importing, storing [${"#".repeat(15)}${".".repeat(15)}] 50 %`)
    expect(ProgressBar.render({ ...event, done: 0, total: 0 })).toContain("100 %")
  })

  it("contract: shows for work over a second, at most ten times a second", () => {
    const drawn: Array<number> = []
    let now = 5_000
    const report = ProgressBar.make(
      () => now,
      () => drawn.push(now)
    )
    for (now = 5_000; now < 6_500; now += 30) report(event)
    expect(drawn[0]).toBe(6_020)
    expect(drawn.slice(1).every((at, i) => at - (drawn[i] ?? 0) >= 100)).toBe(true)
    expect(drawn.length).toBe(4)
  })
})

/** A clock by which everything takes seconds. */
const slow: Clock.Clock = (() => {
  const real = Clock.make()
  let ahead = 0
  const unsafeCurrentTimeMillis = () => {
    ahead += 700
    return real.unsafeCurrentTimeMillis() + ahead
  }
  return {
    [Clock.ClockTypeId]: real[Clock.ClockTypeId],
    sleep: duration => real.sleep(duration),
    currentTimeMillis: real.currentTimeMillis,
    currentTimeNanos: real.currentTimeNanos,
    unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
    unsafeCurrentTimeMillis
  }
})()

const stdin = Array.from(
  { length: 3 },
  (_, i) =>
    `{"id":"app-${i}","title":"t","status":"open","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}\n`
).join("")

describe("bd import that takes long", () => {
  it.scopedLive("contract: draws on the status line, and takes it away at the end", () =>
    Effect.gen(function* () {
      const { runWith } = yield* project
      const shown: Array<string> = []
      const statusLine = (text: string) => void shown.push(text)
      const ran = yield* Effect.withClock(runWith({ stdin, statusLine }, "import"), slow)
      expect(ran).toMatchObject({ exitCode: 0, stdout: "" })
      expect(ran.stderr).toBe("Import complete: 3 created, 0 updated, 0 unchanged\n")
      expect(shown.some(text => text.startsWith("Importing, storing ["))).toBe(true)
      expect(shown.some(text => text.startsWith("Writing the issue file"))).toBe(true)
      expect(shown.at(-1)).toBe("")
    })
  )

  it.scopedLive("contract: so does an export, whose lines are those of the issue file", () =>
    Effect.gen(function* () {
      const { lines, runWith } = yield* project
      expect(yield* runWith({ stdin }, "import")).toMatchObject({ exitCode: 0 })
      const shown: Array<string> = []
      const statusLine = (text: string) => void shown.push(text)
      const ran = yield* Effect.withClock(runWith({ statusLine }, "export"), slow)
      expect(ran).toEqual({ exitCode: 0, stdout: lines(), stderr: "" })
      expect(shown.some(text => /^Exporting, writing \[.*\] 100 %$/.test(text))).toBe(true)
      expect(shown.at(-1)).toBe("")
    })
  )

  for (const flag of ["--json", "--quiet"]) {
    it.scopedLive(`contract: draws nothing with ${flag}`, () =>
      Effect.gen(function* () {
        const { runWith } = yield* project
        const shown: Array<string> = []
        const statusLine = (text: string) => void shown.push(text)
        const ran = yield* Effect.withClock(runWith({ stdin, statusLine }, "import", flag), slow)
        expect(ran).toMatchObject({ exitCode: 0 })
        expect(shown).toEqual([])
      })
    )
  }
})
