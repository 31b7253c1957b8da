/**
 * The protocol in small, in every order: what `Protocol.ts` describes is walked through to its last states, and each way
 * to get it wrong is shown to break what it should. Where the model knows a limit of the protocol, a test shows that too.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Exploration, explore } from "./explore.ts"
import {
  checkout,
  command,
  edit,
  editor,
  embedder,
  labels,
  type Mutant,
  model,
  pull,
  reader,
  remover,
  type Scenario
} from "./Protocol.ts"

const one = command("one", edit(0, 0))
const other = command("other", edit(1, 1))
const same = command("same", edit(1, 0))
const embedded = embedder("embedded", edit(2, 0), edit(3, 0))

const inFirst = edit(4, 0)
const inSecond = edit(4, 1)
const inSecondToo = edit(5, 1)

const scenarios = {
  "three commands and a reader": {
    processes: [one, same, command("third", edit(2, 1)), reader("reader")],
    kills: 2
  },
  "an embedder": { processes: [embedded, other, reader("reader")], kills: 2 },
  "an editor in place": {
    processes: [one, other],
    outside: [editor("in place", inSecond, labels.two)],
    kills: 2
  },
  "an editor that renames": {
    processes: [embedded, other],
    outside: [editor("renames", inFirst, labels.one)],
    kills: 1
  },
  "two editors": {
    processes: [one],
    outside: [editor("in place", inFirst), editor("renames", inSecondToo)],
    kills: 1
  },
  "a pull": { processes: [one, other], outside: [pull(inSecond)], kills: 1 },
  "a checkout": { processes: [embedded, other], outside: [checkout], kills: 1 },
  "a pull and an editor": { processes: [one], outside: [pull(inSecondToo), editor("in place", inFirst)], kills: 1 },
  "a removed file": { processes: [one, other], outside: [remover("file")], kills: 2 },
  "a removed file and an editor": {
    processes: [one],
    outside: [remover("file"), editor("in place", inFirst)],
    kills: 1
  },
  "a removed lock file": {
    processes: [one, embedder("embedded", edit(2, 0))],
    outside: [remover("lock")],
    together: true
  },
  "a loss of power": { processes: [embedded, other], kills: 1, powerLosses: 1 },
  "a loss of power and an editor": {
    processes: [one, other],
    outside: [editor("in place", inSecond, labels.two)],
    kills: 1,
    powerLosses: 1
  },
  "a loss of power without a file": { processes: [one, other], missing: true, kills: 1, powerLosses: 1 }
} as const satisfies Record<string, Scenario>

type Name = keyof typeof scenarios

const run = (scenario: Scenario): Exploration => explore(model(scenario))

const shown = ({ counterexample }: Exploration): string =>
  counterexample === undefined ? "no counterexample" : [counterexample.broken, ...counterexample.trace].join("\n  ")

// a slow machine is no counterexample
const patience = { timeout: 60_000 }

describe("the protocol", patience, () => {
  // seen: nearly this many; far fewer would say that the model has stopped moving
  const floors: Record<Name, number> = {
    "three commands and a reader": 12_000,
    "an embedder": 2_500,
    "an editor in place": 3_500,
    "an editor that renames": 6_500,
    "two editors": 3_000,
    "a pull": 4_000,
    "a checkout": 7_000,
    "a pull and an editor": 3_500,
    "a removed file": 1_000,
    "a removed file and an editor": 450,
    "a removed lock file": 2_500,
    "a loss of power": 800,
    "a loss of power and an editor": 4_500,
    "a loss of power without a file": 300
  }

  it.each(Object.keys(scenarios) as Array<Name>)("G11, G13, G14, G16, G28: hold in every order with %s", name => {
    const found = run(scenarios[name])
    console.log(`${name}: ${found.states} states, ${found.steps} steps, ${found.ends} ends`)
    assert.isUndefined(found.counterexample, shown(found))
    assert.isAbove(found.states, floors[name])
    assert.isAbove(found.ends, 0)
  })

  it("G28: the scenarios kill at every step, cut the power, and take each way through the table", () => {
    const taken = new Set(
      ([scenarios["an editor in place"], scenarios["a loss of power"]] satisfies Array<Scenario>)
        .flatMap(scenario => [...run(scenario).taken])
        .map(step => step.replace(/^[^:]*: /, ""))
    )
    for (const step of [
      "looks for an aside",
      "reconciles",
      "looks once more",
      "compares the aside",
      "absorbs the aside",
      "lets the aside go",
      "clears and records",
      "frees the lock, acknowledges",
      "is killed",
      "power is lost, 1 entries back",
      "power is lost, 2 entries back"
    ]) {
      assert.include([...taken], step)
    }
  })
})

describe("mutants of the protocol", patience, () => {
  const mutants: ReadonlyArray<readonly [breaks: string, Mutant, Name]> = [
    ["G16", "no lock", "an editor in place"],
    ["G28", "lock outlives its holder", "three commands and a reader"],
    ["G16", "publish without reconcile", "an editor in place"],
    ["G16", "rebuild over an unread file", "a pull"],
    ["G16", "file record before the rows", "an editor in place"],
    ["G11", "base taken at each change", "an editor that renames"],
    ["G16", "git not waited for", "a pull"],
    ["G28", "written in place", "three commands and a reader"],
    ["G28", "no fsync of the temp file", "a loss of power"],
    ["G14", "no look before the rename", "a removed lock file"],
    ["G16", "no aside", "an editor that renames"],
    ["G16", "no look and no aside", "a pull"],
    ["G16", "aside not compared", "an editor in place"],
    ["G16", "aside of a crash let go", "an editor in place"],
    ["G14", "cleared before the fsync of the directory", "three commands and a reader"],
    ["G14", "cleared by id", "a removed lock file"],
    ["G14", "rename of a crash taken for durable", "a loss of power"],
    ["G28", "cleared before the file record", "a checkout"],
    ["G16", "hash of the file read again", "an editor in place"],
    ["G11", "cleared, then absorbed", "an editor that renames"],
    ["G16", "aside of a crash merged without base", "an editor in place"],
    ["G11", "aside of a recorded publish merged", "a loss of power"],
    ["G16", "aside compared while git writes", "a pull"]
  ]

  it.each(mutants)("%s: the model catches “%s” with %s", (breaks, mutant, name) => {
    const found = run({ ...scenarios[name], mutant })
    assert.strictEqual(found.counterexample?.broken.slice(0, 3), breaks, shown(found))
  })
})

describe("limits of the protocol", patience, () => {
  it("G16: a file renamed into place between our link and our rename is not kept: no call excludes it", () => {
    const found = run({ processes: [one], outside: [editor("renames", inFirst)], gap: true })
    assert.deepStrictEqual(found.counterexample?.trace.slice(-3), [
      "editor: reads",
      "editor: renames its file into place",
      "one: renames"
    ])
  })

  it("G16: what an editor has cut off and not yet written is read as a file without lines", () => {
    const found = run({ processes: [one], outside: [editor("torn", inFirst)] })
    assert.strictEqual(found.counterexample?.broken, "G16: what another program wrote is lost", shown(found))
  })
})
