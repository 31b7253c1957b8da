/**
 * `kill -9` before the system calls of every command that changes something, and of a debounced flush in an
 * application, from the first that looks into `.beads`: one after the other, until all have had their turn or the time
 * is up. Each round takes of each command one call that changes something (or answers) and one of the others, which
 * leave behind what the next change finds. The seed is the number of the first round, so a run that the time has ended
 * is taken up by another. The short form is one round.
 */
import { performance } from "node:perf_hooks"
import { describe, expect, it } from "vitest"
import { commands as table } from "../../src/cli/CommandTable.ts"
import { bdCommand, bundled } from "../system/bd.ts"
import { killOnce, type Prepared, pointsOf, prepared, type Scenario } from "../system/crashing.ts"
import { describePoint, inParallel, isAnswer, type KillPoint, NotKilled } from "../system/killing.ts"
import { atLength, milliseconds, seed } from "./budget.ts"
import { commands, type PlacedCommand, placedCommands, placeOf, template } from "./commands.ts"

/** Of the calls that change nothing every so many is taken; 1 takes them all. */
const stride = Number(process.env["BD_KILL_STRIDE"] ?? 1)

interface Target {
  readonly name: string
  readonly scenario: Prepared
  /** The calls that change something or answer, and the others. */
  readonly queues: readonly [ReadonlyArray<KillPoint>, ReadonlyArray<KillPoint>]
}

const cases: ReadonlyArray<readonly [name: string, command: PlacedCommand]> = [
  ...Object.entries(commands),
  ...Object.entries(placedCommands)
]

const target = async (name: string, scenario: Scenario): Promise<Target> => {
  const known = await prepared(scenario)
  const points = await pointsOf(known)
  const isFirst = (point: KillPoint) => point.changing || isAnswer(point)
  return {
    name,
    scenario: known,
    queues: [points.filter(isFirst), points.filter(point => !isFirst(point)).filter((_, i) => i % stride === 0)]
  }
}

const targets = async (): Promise<ReadonlyArray<Target>> => {
  const project = await template()
  return [
    ...(await inParallel(2, cases, async ([name, command]) => {
      const { left, stdin, words } = command
      return target(name, {
        template: await placeOf(project, command),
        command: bdCommand(...words),
        ...(stdin === undefined ? {} : { stdin }),
        ...(left === undefined ? {} : { left })
      })
    })),
    await target("debounced flush", {
      template: project,
      command: [...(await bundled("embedder.ts")), ".beads"],
      from: /^write\(1<.*"changed/
    })
  ]
}

const count = <A>(items: ReadonlyArray<A>, holds: (item: A) => boolean) => items.filter(holds).length

describe("kill -9 of every command that changes something", () => {
  it("G28: none is left out", () => {
    const longestFirst = table.toSorted((a, b) => b.path.length - a.path.length)
    const killed = cases.map(([, { words }]) =>
      longestFirst.find(({ path }) => path.every((word, i) => words[i] === word))
    )
    const missing = table.filter(
      spec => (spec.mutates || "mutatesWith" in spec) && !killed.some(each => each?.path === spec.path)
    )
    expect(missing.map(({ path }) => path.join(" "))).toEqual([])
    for (const [index, spec] of killed.entries())
      if (spec !== undefined && "mutatesWith" in spec)
        expect(cases[index]?.[1].words).toContain(`--${spec.mutatesWith}`)
  })

  it(
    "G28: what was acknowledged is there, the old state or the new one, no repair needed",
    async () => {
      const all = await targets()
      const lengths = all.flatMap(({ queues }) => queues.map(queue => queue.length))
      const problems: Array<string> = []
      const missed: Array<string> = []
      const kills: Array<Awaited<ReturnType<typeof killOnce>>> = []
      const begun = performance.now()
      const longest = Math.max(...lengths)
      let rounds = 0
      const isOver = () =>
        rounds === longest ||
        problems.length > 9 ||
        (atLength ? performance.now() - begun > milliseconds(0) : rounds > 0)
      for (; !isOver(); rounds++) {
        const turns = all.flatMap(({ name, queues, scenario }) =>
          queues.flatMap(queue => {
            const point = queue[(seed + rounds) % queue.length]
            return point === undefined || rounds >= queue.length ? [] : [{ name, scenario, point }]
          })
        )
        await inParallel(2, turns, async ({ name, point, scenario }) => {
          try {
            kills.push(await killOnce(scenario, point))
          } catch (problem) {
            if (problem instanceof NotKilled && !point.changing && !isAnswer(point)) missed.push(describePoint(point))
            else problems.push(`bd ${name}, before ${describePoint(point)}\n${String(problem)}`)
          }
        })
      }
      const seconds = Math.round((performance.now() - begun) / 1000)
      const sumOf = (queue: 0 | 1, most: number) =>
        all.reduce((sum, { queues }) => sum + Math.min(most, queues[queue].length), 0)
      console.log(
        [
          `seed ${seed}: ${kills.length} kills of ${all.length} commands in ${seconds} s:`,
          `before ${sumOf(0, rounds)} of ${sumOf(0, longest)} calls that change something or answer,`,
          `and ${sumOf(1, rounds)} of ${sumOf(1, longest)} others;`,
          `the files were old ${count(kills, each => !each.replaced)} times, new ${count(kills, each => each.replaced)} times;`,
          `the change was there ${count(kills, each => each.done)} times, acknowledged ${count(kills, each => each.acknowledged)} times`,
          ...(missed.length > 0 ? [`(${missed.length} looks were not made this time)`] : []),
          ...(rounds < longest ? [`(--seed ${seed + rounds} goes on)`] : [])
        ].join(" ")
      )
      expect(problems).toEqual([])
      expect(kills).toHaveLength(sumOf(0, rounds) + sumOf(1, rounds) - missed.length)
      expect(missed.length, missed.join("\n")).toBeLessThan(2 + kills.length / 200)
      expect(count(kills, each => each.done)).toBeGreaterThan(0)
      expect(count(kills, each => !each.done)).toBeGreaterThan(0)
    },
    milliseconds(0) + 400_000
  )
})
