/**
 * `kill -9` before system calls of every command that changes something, commands and calls chosen at random until the
 * time is up. The sweeps of test/system/Crash.test.ts take every call that changes something of a few commands.
 */
import { performance } from "node:perf_hooks"
import { expect, it } from "vitest"
import { bd, bdCommand, issues, ok, type Repository, repository } from "../system/bd.ts"
import { killOnce, type Prepared, pointsOf, prepared } from "../system/crashing.ts"
import { describePoint, type KillPoint } from "../system/killing.ts"
import { milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { importedLine } from "./history.ts"

/** A project with an epic whose only child is closed, links, a deleted issue, and one that was kept back. */
const template = async (): Promise<Repository> => {
  const place = await repository()
  const run = async (...words: ReadonlyArray<string>) => ok(await bd(place, ...words))
  await run("create", "epic", "--id", "t-epic", "-t", "epic")
  await run("create", "child", "--parent", "t-epic")
  await run("create", "one", "--id", "t-one", "-l", "red")
  await run("create", "two", "--id", "t-two", "--deps", "blocks:t-one")
  await run("create", "gone", "--id", "t-gone")
  await run("close", "t-epic.1", "--reason", "done")
  await run("delete", "t-gone", "--force")
  return place
}

/** Of one issue each: of several ids each is a change by itself. */
const commands: Readonly<Record<string, { readonly words: ReadonlyArray<string>; readonly stdin?: string }>> = {
  create: { words: ["create", "new", "--parent", "t-epic", "--json"] },
  q: { words: ["q", "new"] },
  update: { words: ["update", "t-one", "--title", "new", "--append-notes", "more", "--json"] },
  claim: { words: ["claim", "t-one", "--json"] },
  "ready --claim": { words: ["ready", "--claim", "--json"] },
  close: { words: ["close", "t-one", "--reason", "done", "--json"] },
  reopen: { words: ["reopen", "t-epic.1", "--json"] },
  delete: { words: ["delete", "t-one", "--force", "--json"] },
  undelete: { words: ["undelete", "t-gone", "--json"] },
  "dep add": { words: ["dep", "add", "t-epic", "t-two", "--json"] },
  "dep remove": { words: ["dep", "remove", "t-two", "t-one", "--json"] },
  "label add": { words: ["label", "add", "t-one", "green", "--json"] },
  "comments add": { words: ["comments", "add", "t-one", "said", "--json"] },
  "epic close-eligible": { words: ["epic", "close-eligible", "--json"] },
  "rename-prefix": { words: ["rename-prefix", "u", "--json"] },
  import: { words: ["import", "--json"], stdin: importedLine({ id: "t-new", title: "imported" }) }
}

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
    while (performance.now() - begun < milliseconds(20_000) || kills < 8) {
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
  milliseconds(20_000) + 240_000
)
