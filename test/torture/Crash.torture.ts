/**
 * `kill -9` before system calls of every command that changes something, commands and calls chosen at random until the
 * time is up. The sweeps of test/system/Crash.test.ts take every call that changes something of a few commands.
 */
import { performance } from "node:perf_hooks"
import { expect, it } from "vitest"
import { bdCommand, issues } from "../system/bd.ts"
import { killOnce, type Prepared, pointsOf, prepared } from "../system/crashing.ts"
import { describePoint, type KillPoint } from "../system/killing.ts"
import { milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { commands, template } from "./commands.ts"

interface Target {
  readonly scenario: Prepared
  readonly points: ReadonlyArray<KillPoint>
}

/** Half of the kills are before a call that changes something: they are few. */
const pointOf = ({ points }: Target, random: Random): KillPoint => {
  const changing = points.filter(point => point.changing)
  return random.pick(random.below(2) === 0 ? changing : points)
}

it(
  "G28: kill -9 at random calls of every command that changes something",
  async () => {
    const random = randomOf(seed)
    const place = await template()
    expect(issues(place)).toHaveLength(5)
    const targets = new Map<string, Target>()
    const problems: Array<string> = []
    const calls = new Set<string>()
    let kills = 0
    let done = 0
    let acknowledged = 0
    const begun = performance.now()
    while (performance.now() - begun < milliseconds(10_000) || kills < 8) {
      const name = random.pick(Object.keys(commands))
      const { stdin = "", words = [] } = commands[name] ?? {}
      let target = targets.get(name)
      if (target === undefined) {
        const scenario = await prepared({ template: place, command: bdCommand(...words), stdin })
        expect(scenario.after).not.toEqual(scenario.before)
        target = { scenario, points: await pointsOf(scenario) }
        targets.set(name, target)
      }
      // several of each command: finding its calls takes as long as three kills
      for (let i = 0; i < 4; i++) {
        const point = pointOf(target, random)
        try {
          const killed = await killOnce(target.scenario, point)
          kills++
          calls.add(`${name} ${killed.call}`)
          if (killed.done) done++
          if (killed.acknowledged) acknowledged++
        } catch (problem) {
          problems.push(`bd ${name}, before ${describePoint(point)}\n${String(problem)}`)
        }
      }
    }
    console.log(
      `seed ${seed}: ${kills} kills at ${calls.size} calls of ${targets.size} commands; ${done} times it was done, ${acknowledged} times acknowledged`
    )
    expect(problems).toEqual([])
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(kills)
  },
  milliseconds(10_000) + 240_000
)
