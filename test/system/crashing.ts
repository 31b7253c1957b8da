/** G28: kills a command before its system calls, each time in a copy of the same repository, and looks what is found. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { expect } from "vitest"
import { bd, copyOf, leftovers, lines, ok, type Repository, run, stored } from "./bd.ts"
import {
  describePoint,
  inParallel,
  isAnswer,
  type KillPoint,
  killedAt,
  killPoints,
  NotKilled,
  openedFile
} from "./killing.ts"

/** Of the calls that change nothing every so many is taken; 1 takes them all. */
const stride = Number(process.env["BD_KILL_STRIDE"] ?? 10)

export interface Scenario {
  /** The repository that each run gets a copy of. */
  readonly template: Repository
  readonly command: ReadonlyArray<string>
  /** What it reads. */
  readonly stdin?: string
  /** Of how many times as many of the calls that change nothing one is taken; default 1. */
  readonly stride?: number
  /** The first call to kill it at; default: its first look into `.beads`. */
  readonly from?: RegExp
  /** What a crash of this command may leave for good. */
  readonly left?: RegExp
}

/** What stands in lines, but for what differs from run to run: new ids and times. */
const contents = (all: ReadonlyArray<string>): ReadonlyArray<string> =>
  all.map(line => line.replace(/"id":"[^"]*",|"(issue_id|\w+_at)":"[^"]*",?/g, "")).sort()

const contentOf = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined)

/** The other files of `.beads` with their content, but for what a process has there while it runs. */
const besides = ({ beads, directory }: Repository): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(beads, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && !/^(issues\.jsonl|beads\.db.*|.*\.(lock|tmp|aside))$/.test(entry.name))
      .map(({ name, parentPath }) => join(parentPath, name))
      .map(file => [file.slice(beads.length + 1), readFileSync(file, "utf8").replaceAll(directory, "")])
  )

/** A scenario whose states are known: what the file holds before the command, and after one that was left in peace. */
export interface Prepared extends Scenario {
  readonly before: ReadonlyArray<string>
  readonly after: ReadonlyArray<string>
  readonly besidesBefore: Readonly<Record<string, string>>
  readonly besidesAfter: Readonly<Record<string, string>>
  /** The lines that stand there before and after. */
  readonly kept: ReadonlyArray<string>
}

export const prepared = async (scenario: Scenario): Promise<Prepared> => {
  const { command, stdin = "", template } = scenario
  const place = copyOf(template)
  ok(await run(command, { cwd: place.directory, stdin }))
  const standing = lines(template)
  const now = new Set(lines(place))
  return {
    ...scenario,
    before: contents(standing),
    after: contents([...now]),
    besidesBefore: besides(template),
    besidesAfter: besides(place),
    kept: standing.filter(line => now.has(line))
  }
}

/** Whether all files of `.beads` are as the command leaves them. */
const isReplaced = ({ after, besidesAfter }: Prepared, place: Repository): boolean =>
  isDeepStrictEqual([contents(lines(place)), besides(place)], [after, besidesAfter])

/** What must hold after the kill, or another end before its time; whether the change was there. */
export const recovers = async (
  { after, before, besidesAfter, besidesBefore, kept, left = /^$/ }: Prepared,
  place: Repository,
  acknowledged: boolean
): Promise<boolean> => {
  const isAfter = (seen: ReadonlyArray<string>) => seen.join("\n") === after.join("\n")

  // readers meanwhile: the old file or the new one
  const inFile = contents(lines(place))
  expect([before, after]).toContainEqual(inFile)
  expect(lines(place)).toEqual(expect.arrayContaining([...kept]))
  const beside = besides(place)
  for (const name of new Set(Object.keys({ ...besidesBefore, ...beside, ...besidesAfter }))) {
    expect([besidesBefore[name], besidesAfter[name]], name).toContain(beside[name])
  }
  if (acknowledged) expect(beside).toEqual(besidesAfter)

  // a read needs no repair, and makes none in the issue file
  const content = contentOf(place.issueFile)
  const seen = contents(
    ok(await bd(place, "export"))
      .stdout.split("\n")
      .slice(0, -1)
  )
  expect(contentOf(place.issueFile)).toEqual(content)
  expect([before, after]).toContainEqual(seen)
  if (acknowledged || isAfter(inFile)) expect(seen).toEqual(after)

  const next = ok(await bd(place, "create", "next", "--json"))
  expect(next.stderr).toBe("")
  const isNext = (line: string) => line.includes('"title":"next"')
  expect(lines(place).filter(isNext)).toHaveLength(1)
  expect(contents(lines(place).filter(line => !isNext(line)))).toEqual(seen)
  expect(lines(place)).toEqual(expect.arrayContaining([...kept]))
  const { integrity, lines: rows, marks } = stored(place)
  expect(integrity).toBe("ok")
  expect(marks).toEqual([])
  expect(rows.map(({ line }) => line).sort()).toEqual([...lines(place)].sort())
  expect(leftovers(place).filter(name => !left.test(name))).toEqual([])
  expect(existsSync(`${place.store}-wal`)).toBe(false)
  return isAfter(seen)
}

/** What one kill came to. */
export interface Killed {
  /** The call that it did not come to make. */
  readonly call: string
  readonly acknowledged: boolean
  /** Whether it had replaced the issue file (and what else it replaces) by then. */
  readonly replaced: boolean
  /** Whether the change was there afterwards. */
  readonly done: boolean
}

/** Kills the command there, in a copy of the template; where V8 has opened another file there (`killPoints`), once more. */
export const killThere = async ({ command, stdin = "", template }: Scenario, point: KillPoint) => {
  for (let attempt = 1; ; attempt++) {
    const place = copyOf(template)
    const mayTryAgain = point.name === "openat" && attempt < 4
    try {
      const { call, stdout } = await killedAt(point, command, { cwd: place.directory, stdin })
      if (!mayTryAgain || openedFile({ call }) === openedFile(point)) return { call, place, stdout }
    } catch (problem) {
      if (!mayTryAgain || !(problem instanceof NotKilled)) throw problem
    }
  }
}

/** Kills the command there, and checks what is found. */
export const killOnce = async (scenario: Prepared, point: KillPoint): Promise<Killed> => {
  const { call, place, stdout } = await killThere(scenario, point)
  const acknowledged = stdout !== ""
  return {
    call: describePoint({ ...point, call }),
    acknowledged,
    replaced: isReplaced(scenario, place),
    done: await recovers(scenario, place, acknowledged)
  }
}

/** All kill points of a command. */
export const pointsOf = ({ command, from, stdin = "", template }: Scenario): Promise<ReadonlyArray<KillPoint>> =>
  killPoints(command, () => ({ cwd: copyOf(template).directory, stdin }), from)

export interface Sweep {
  readonly points: number
  readonly changing: number
  /** How often the change was there afterwards, and how often not. */
  readonly done: number
  readonly undone: number
  readonly acknowledged: number
  /** The calls that it was killed at. */
  readonly calls: ReadonlyArray<string>
}

/** Kills the command at every call that changes something or answers, and at some of the others. */
export const sweep = async (name: string, asked: Scenario): Promise<Sweep> => {
  const scenario = await prepared(asked)
  const every = stride * (scenario.stride ?? 1)
  const points = await pointsOf(scenario)
  // the answer too: what was said must be there
  const chosen = points.filter((point, index) => point.changing || isAnswer(point) || index % every === 0)
  const problems: Array<string> = []
  const kills: Array<Killed> = []
  await inParallel(2, chosen, async point => {
    try {
      kills.push(await killOnce(scenario, point))
    } catch (problem) {
      problems.push(`${describePoint(point)}\n${String(problem)}`)
    }
  })
  expect(problems).toEqual([])
  const changing = chosen.filter(point => point.changing).length
  const done = kills.filter(kill => kill.done).length
  const acknowledged = kills.filter(kill => kill.acknowledged).length
  console.log(
    `${name}: ${chosen.length} kill points of ${points.length}, ${changing} before a change; ${done} times it was done, ${acknowledged} times acknowledged`
  )
  const calls = kills.map(({ call }) => call)
  return { points: chosen.length, changing, done, undone: chosen.length - done, acknowledged, calls }
}

/** The sweep was killed at calls like these. */
export const expectCovered = ({ calls }: Pick<Sweep, "calls">, patterns: ReadonlyArray<RegExp>): void => {
  expect(patterns.filter(pattern => !calls.some(call => pattern.test(call)))).toEqual([])
}
