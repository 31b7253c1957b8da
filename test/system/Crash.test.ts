/** G28: `kill -9` before any system call of a command; what the commands after it find. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  bd,
  bdCommand,
  bundled,
  copyOf,
  issues,
  leftovers,
  lines,
  listed,
  ok,
  type Repository,
  repository,
  type Shown,
  stored
} from "./bd.ts"
import { describePoint, inParallel, isAnswer, type KillPoint, killedAt, killPoints } from "./killing.ts"

/** Of the calls that change nothing every so many is taken; 1 takes them all. */
const stride = Number(process.env["BD_KILL_STRIDE"] ?? 10)

const titles = (shown: ReadonlyArray<Shown>) => shown.map(({ title }) => title).sort()

const contentOf = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined)

interface Scenario {
  /** The repository that each run gets a copy of. */
  readonly template: Repository
  readonly command: ReadonlyArray<string>
  /** Titles without the change, and with it. */
  readonly before: ReadonlyArray<string>
  readonly after: ReadonlyArray<string>
  /** Of how many times as many of the calls that change nothing one is taken; default 1. */
  readonly stride?: number
  /** The first call to kill it at; default: its first look into `.beads`. */
  readonly from?: RegExp
  /** What a crash of this command may leave for good. */
  readonly left?: RegExp
}

/** What must hold after the kill; whether the change was there. */
const recovers = async (
  { after, before, left = /^$/, template }: Scenario,
  place: Repository,
  acknowledged: boolean
) => {
  const states = [before.toSorted(), after.toSorted()]
  const kept = lines(template).filter(line => after.includes((JSON.parse(line) as Shown).title))

  // readers meanwhile: the old file or the new one
  const inFile = titles(issues(place))
  expect(states).toContainEqual(inFile)
  expect(lines(place)).toEqual(expect.arrayContaining(kept))

  // a read needs no repair, and makes none in the issue file
  const content = contentOf(place.issueFile)
  const seen = titles(await listed(place))
  expect(contentOf(place.issueFile)).toEqual(content)
  expect(states).toContainEqual(seen)
  if (acknowledged || inFile.join() === states[1]?.join()) expect(seen).toEqual(states[1])

  const next = ok(await bd(place, "create", "next", "--json"))
  expect(next.stderr).toBe("")
  expect(titles(issues(place))).toEqual([...seen, "next"].sort())
  expect(lines(place)).toEqual(expect.arrayContaining(kept))
  const { integrity, lines: rows, marks } = stored(place)
  expect(integrity).toBe("ok")
  expect(marks).toEqual([])
  expect(rows.map(({ line }) => line).sort()).toEqual([...lines(place)].sort())
  expect(leftovers(place).filter(name => !left.test(name))).toEqual([])
  expect(existsSync(`${place.store}-wal`)).toBe(false)
  return seen.join() === states[1]?.join()
}

interface Sweep {
  readonly points: number
  readonly changing: number
  /** How often the change was there afterwards, and how often not. */
  readonly done: number
  readonly undone: number
  readonly acknowledged: number
  /** The calls that it was killed at. */
  readonly calls: ReadonlyArray<string>
}

/** Kills the command at its calls, each time in a copy of the template. */
const sweep = async (name: string, scenario: Scenario): Promise<Sweep> => {
  const { command, template } = scenario
  const every = stride * (scenario.stride ?? 1)
  const points: ReadonlyArray<KillPoint> = await killPoints(
    command,
    () => ({ cwd: copyOf(template).directory }),
    scenario.from
  )
  // the answer too: what was said must be there
  const chosen = points.filter((point, index) => point.changing || isAnswer(point) || index % every === 0)
  const problems: Array<string> = []
  const calls: Array<string> = []
  let done = 0
  let acknowledged = 0
  await inParallel(2, chosen, async point => {
    try {
      const place = copyOf(template)
      const killed = await killedAt(point, command, { cwd: place.directory })
      calls.push(describePoint({ ...point, call: killed.call }))
      if (killed.stdout !== "") acknowledged++
      if (await recovers(scenario, place, killed.stdout !== "")) done++
    } catch (problem) {
      problems.push(`${describePoint(point)}\n${String(problem)}`)
    }
  })
  expect(problems).toEqual([])
  const changing = chosen.filter(point => point.changing).length
  console.log(
    `${name}: ${chosen.length} kill points of ${points.length}, ${changing} before a change; ${done} times it was done, ${acknowledged} times acknowledged`
  )
  return { points: chosen.length, changing, done, undone: chosen.length - done, acknowledged, calls }
}

/** The steps that a sweep must have been killed at. */
const publishing = [
  /^main pwrite64.*beads\.db-wal/,
  /^main fsync.*beads\.db-wal/,
  /^main pwrite64.*beads\.db>/,
  /^pool openat.*\.tmp/,
  /^pool write.*\.tmp/,
  /^pool fsync.*\.tmp/,
  /^pool fsync.*\.beads>/
]

const expectCovered = ({ calls }: Sweep, patterns: ReadonlyArray<RegExp>) => {
  expect(patterns.filter(pattern => !calls.some(call => pattern.test(call)))).toEqual([])
}

const create = bdCommand("create", "new", "--json")

describe("kill -9", { timeout: 240_000 }, () => {
  it("G28: of create", async () => {
    const before = ["one", "two", "three"]
    const swept = await sweep("create", {
      template: await repository(before),
      command: create,
      before,
      after: [...before, "new"]
    })
    expectCovered(swept, [
      ...publishing,
      /^main link.*\.aside/,
      /^main rename.*issues\.jsonl"/,
      /^main unlink.*\.aside/,
      /^main write.*"id/
    ])
    expect(swept.changing).toBeGreaterThan(45)
    expect(swept.done).toBeGreaterThan(20)
    expect(swept.undone).toBeGreaterThan(20)
    expect(swept.acknowledged).toBeGreaterThan(1)
  })

  it("G28: of the create that makes the issue file", async () => {
    const swept = await sweep("first create", {
      template: await repository(),
      command: create,
      before: [],
      after: ["new"],
      stride: 8
    })
    expectCovered(swept, [...publishing, /^main link.*\.tmp.*issues\.jsonl"/])
    expect(swept.changing).toBeGreaterThan(45)
  })

  it("G28: of update, when the issue file has come anew from elsewhere", async () => {
    const template = await repository(["one", "two", "three"])
    const elsewhere = copyOf(template)
    const [one, two] = ["one", "two"].map(title => issues(template).find(issue => issue.title === title)?.id ?? "")
    ok(await bd(elsewhere, "update", two ?? "", "--title", "two elsewhere"))
    ok(await bd(elsewhere, "create", "four"))
    writeFileSync(template.issueFile, readFileSync(elsewhere.issueFile))
    const swept = await sweep("update after a pull", {
      template,
      command: bdCommand("update", one ?? "", "--title", "new", "--json"),
      before: ["one", "two elsewhere", "three", "four"],
      after: ["new", "two elsewhere", "three", "four"],
      stride: 8
    })
    expectCovered(swept, publishing)
    expect(swept.changing).toBeGreaterThan(45)
  })

  it("G28: of the command that tidies up after another that was killed", async () => {
    const template = await repository(["one", "two"])
    const points = await killPoints(bdCommand("create", "three"), () => ({ cwd: copyOf(template).directory }))
    // the file is new, the aside is there, the marks are not cleared
    const point = points.find(({ call, name }) => name === "unlink" && call.includes(".aside"))
    if (point === undefined) throw new Error("create lets no aside go")
    await killedAt(point, bdCommand("create", "three"), { cwd: template.directory })
    expect(leftovers(template)).toEqual([".issues.jsonl.aside"])
    const swept = await sweep("create after a crash", {
      template,
      command: create,
      before: ["one", "two", "three"],
      after: ["one", "two", "three", "new"],
      stride: 8
    })
    expectCovered(swept, publishing)
  })

  it("G28: of init, with an issue file that a clone brought", async () => {
    const template = await repository(["one", "two"])
    for (const name of ["beads.db", "config.yaml", "metadata.json", ".gitignore", "issues.jsonl.lock"])
      rmSync(join(template.beads, name))
    const swept = await sweep("init", {
      template,
      command: bdCommand("init", "--prefix", "u"),
      before: ["one", "two"],
      after: ["one", "two"],
      stride: 8,
      // small files, ignored by git
      left: /^\.(\.gitignore|metadata\.json|config\.yaml)\.\d+\.tmp$/
    })
    expectCovered(swept, [/^main pwrite64.*beads\.db-wal/, /metadata\.json/])
  })

  it("G28: of a debounced flush in an application, once it has acknowledged its changes", async () => {
    const swept = await sweep("debounced flush", {
      template: await repository(["one", "two"]),
      command: [...(await bundled("embedder.ts")), ".beads"],
      before: ["one", "two"],
      after: ["one", "two", "new", "newer"],
      stride: 2,
      from: /^write\(1<.*"changed/
    })
    expectCovered(swept, [
      /^main pwrite64.*beads\.db-wal/,
      /^main pwrite64.*beads\.db>/,
      /^pool openat.*\.tmp/,
      /^pool write.*\.tmp/,
      /^pool fsync.*\.tmp/,
      /^pool fsync.*\.beads>/,
      /^main link.*\.aside/,
      /^main rename.*issues\.jsonl"/,
      /^main unlink.*\.aside/
    ])
    expect(swept.changing).toBeGreaterThan(20)
    expect(swept.undone).toBeLessThan(2)
  })
})
