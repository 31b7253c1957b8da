/**
 * Random histories of clones, over the real parts (G19, G22–G24); the model is `clones.ts`. To run more of them, or one
 * that failed again with all its steps:
 *
 *     CLONES_COUNT=1000 npx vitest run --project clones test/tracker/clones.model.test.ts
 *     CLONES_SEED=17 CLONES_COUNT=1 npx vitest run --project clones test/tracker/clones.model.test.ts -t driver
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, type Setting } from "./clones.ts"

const first = Number(process.env["CLONES_SEED"] ?? 1)
const count = Number(process.env["CLONES_COUNT"] ?? 12)

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const runAll = Effect.fnUntraced(function* (name: string, setting: Setting, histories = count) {
  const failures: Array<string> = []
  let [edits, lost, apart] = [0, 0, 0]
  for (let seed = first; seed < first + histories; seed++) {
    const outcome = yield* run(setting, seed)
    edits += outcome.edits
    lost += outcome.lost.length
    if (!outcome.converged) {
      apart++
      say(`${name}, seed ${seed}: the files stay unequal`)
    }
    const lostHere = outcome.lost.map(({ id, unit, value }) => `${id}: ${unit} = ${value} is lost`)
    if (histories === 1) say([...outcome.log, outcome.end].join("\n"))
    if (lostHere.length > 0) say(`${name}, seed ${seed}: ${lostHere.join("; ")}`)
    failures.push(...outcome.problems.map(problem => `${name}, seed ${seed}: ${problem}`))
  }
  say(
    `${name}: seeds ${first} to ${first + histories - 1}: ${edits} edits, ${lost} lost, ${apart} histories left unequal`
  )
  return { failures, edits, lost, apart }
})

const all = ["twin", "lose", "visit", "rename"] as const
const patience = Math.max(60_000, count * 4_000)

describe("one clone", () => {
  const histories = process.env["CLONES_COUNT"] === undefined ? 500 : count
  it.effect(
    "G15, G18, G21: the file is the export of its store, and of a fresh store made from it",
    () =>
      Effect.map(
        runAll("one clone", { clones: 1, ways: ["driver"], with: all, steps: 6 }, histories),
        ({ edits, failures, lost }) => {
          expect({ failures, lost }).toEqual({ failures: [], lost: 0 })
          expect(edits).toBeGreaterThan(histories * 3)
        }
      ),
    patience * 10
  )
})

describe("exact ancestors", () => {
  const settings: ReadonlyArray<readonly [name: string, Setting]> = [
    ["two clones by the merge driver", { clones: 2, ways: ["driver"], with: all }],
    ["three clones by the merge driver", { clones: 3, ways: ["driver"], with: all }]
  ]
  it.effect.each(settings)(
    "G19, G22, G23, G24: %s: all end equal, no issue or edit is lost, doubled or revived",
    ([name, setting]) =>
      Effect.map(runAll(name, setting), ({ apart, edits, failures, lost }) => {
        expect({ failures, lost, apart }).toEqual({ failures: [], lost: 0, apart: 0 })
        expect(edits).toBeGreaterThan(count)
      }),
    patience
  )
})

describe("ancestors that the stores remember", () => {
  // the bounds are about twice what was measured
  const settings: ReadonlyArray<readonly [name: string, Setting, lost: number, apart: number]> = [
    ["two clones by unions of lines", { clones: 2, ways: ["union"], with: all }, 0.05, 0],
    ["three clones by any way", { clones: 3, ways: ["driver", "union", "side"], with: all }, 0.05, 0],
    ["three clones by imports", { clones: 3, ways: ["import"], with: ["twin", "lose"] }, 0.1, 0.2],
    [
      "three clones by imports, at equal times",
      { clones: 3, ways: ["import"], with: ["twin", "lose"], ties: true },
      0.1,
      0.2
    ]
  ]
  it.effect.each(settings)(
    "G19, G23, G24: %s: no issue is lost, doubled or revived, few edits are lost",
    ([name, setting, mayLose, mayStayApart]) =>
      Effect.map(runAll(name, setting), ({ apart, edits, failures, lost }) => {
        expect(failures).toEqual([])
        expect(lost / edits).toBeLessThanOrEqual(mayLose)
        expect(apart / count).toBeLessThanOrEqual(mayStayApart)
        expect(edits).toBeGreaterThan(count)
      }),
    patience
  )
})
