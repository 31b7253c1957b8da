/**
 * Lost power: the built `bd` runs a session of commands, some of them killed on the way; what it did to `.beads` is on
 * record, call by call; and from the record come the states that the disk may be in if power is lost after any of these
 * calls (model: disk.ts). In each state the issue file is looked at, and the next `bd` run: nothing that was acknowledged
 * is missing, nothing is torn, the store is sound.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import Database from "better-sqlite3"
import { afterAll, expect, it } from "vitest"
import {
  bd,
  bdCommand,
  copyOf,
  leftovers,
  lines,
  ok,
  type Repository,
  repository,
  repositoryAt,
  scratch,
  stored
} from "../system/bd.ts"
import { inParallel } from "../system/killing.ts"
import { milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { after, type Change, contentOf, fingerprint, type Held, leftBy } from "./disk.ts"
import { type Numbering, recorded } from "./recording.ts"

const issueFile = "issues.jsonl"

/** A repository whose `.beads` holds what a disk was left with. */
const materialise = (held: Held): Repository => {
  const place = repositoryAt(scratch())
  mkdirSync(join(place.directory, ".git"))
  writeFileSync(join(place.directory, ".git/HEAD"), "ref: refs/heads/main\n")
  mkdirSync(place.beads)
  for (const name of held.names.keys()) writeFileSync(join(place.beads, name), contentOf(held, name) ?? "")
  return place
}

const heldBy = ({ beads }: Repository, numbering: Numbering): Held => {
  const files = new Map<number, Buffer>()
  numbering.names.clear()
  for (const name of readdirSync(beads).filter(each => !each.endsWith("-shm"))) {
    numbering.names.set(name, numbering.next)
    files.set(numbering.next++, readFileSync(join(beads, name)))
  }
  return { names: new Map(numbering.names), files }
}

/** How store and file stand after a step of the session. */
interface Standing {
  readonly file: string | undefined
  /** What `bd` knows: lines by id, as a publish would write them. */
  readonly lines: string
}

const sorted = (all: ReadonlyArray<string>): string => all.toSorted().join("\n")

const standingOf = async (place: Repository): Promise<Standing> => {
  // looked at in a copy: to look into the store is to change its files
  const copy = copyOf(place)
  const file = readdirSync(place.beads).includes(issueFile) ? readFileSync(place.issueFile, "utf8") : undefined
  return {
    file,
    lines: sorted(
      ok(await bd(copy, "export"))
        .stdout.split("\n")
        .slice(0, -1)
    )
  }
}

/** A moment at which power may be lost. */
interface Moment {
  /** All changes of the session until then. */
  readonly changes: number
  /** Of `standings`: the last that was acknowledged, and the one that is under way. */
  readonly acknowledged: number
  readonly underWay: number
}

interface Session {
  readonly base: Held
  readonly changes: ReadonlyArray<Change>
  readonly standings: ReadonlyArray<Standing>
  readonly moments: ReadonlyArray<Moment>
  readonly told: ReadonlyArray<string>
}

type Step =
  | { readonly words: ReadonlyArray<string>; readonly killedAfter?: (changes: ReadonlyArray<Change>) => number }
  /** Another program writes the file, and makes it last. */
  | { readonly edit: (text: string) => string }

/** Runs the steps one after the other in one repository. */
const sessionOf = async (steps: ReadonlyArray<Step>): Promise<Session> => {
  let place = await repository()
  const numbering: Numbering = { names: new Map(), next: 1 }
  const base = heldBy(place, numbering)
  const changes: Array<Change> = []
  const standings = [await standingOf(place)]
  const moments: Array<Moment> = [{ changes: 0, acknowledged: 0, underWay: 0 }]
  const told: Array<string> = []
  let acknowledged = 0
  for (const step of steps) {
    const underWay = standings.length
    if ("edit" in step) {
      const bytes = Buffer.from(step.edit(readFileSync(place.issueFile, "utf8")))
      writeFileSync(place.issueFile, bytes)
      const file = numbering.names.get(issueFile) ?? 0
      changes.push({ _tag: "Resize", file, size: 0 }, { _tag: "Write", file, at: 0, bytes })
      changes.push({ _tag: "Sync", file }, { _tag: "SyncNames" })
      standings.push(await standingOf(place))
      acknowledged = underWay
      told.push("edit")
      continue
    }
    const ran = await recorded(place.beads, numbering, bdCommand(...step.words), { cwd: place.directory })
    // such as that there is nothing of that id; it changes nothing then
    if (![0, 2, 3, 5].includes(ran.exitCode ?? -1)) ok(ran)
    const end = step.killedAfter?.(ran.changes) ?? ran.changes.length
    for (let n = 1; n <= end; n++) {
      if (ran.answered !== undefined && ran.answered <= n && step.killedAfter === undefined) acknowledged = underWay
      moments.push({ changes: changes.length + n, acknowledged, underWay })
    }
    changes.push(...ran.changes.slice(0, end))
    const now = after(base, changes)
    if (step.killedAfter !== undefined) {
      // what a kill leaves is what the machine still knows: all changes until then
      place = materialise(now)
      numbering.names.clear()
      for (const [name, file] of now.names) numbering.names.set(name, file)
    }
    // the record is all that happened, else it proves nothing
    expect(fingerprint(now)).toBe(fingerprint(heldBy(place, { names: new Map(), next: 1 })))
    standings.push(await standingOf(place))
    told.push(`${step.words.join(" ")}${step.killedAfter === undefined ? "" : ` (killed after ${end})`}`)
  }
  return { base, changes, standings, moments, told }
}

/** A state of the disk and what may be found in it. */
interface Case {
  readonly held: Held
  readonly told: string
  readonly allowed: ReadonlyArray<Standing>
}

const casesOf = (session: Session, random: Random, more: number): ReadonlyArray<Case> => {
  const cases = new Map<string, Case>()
  for (const { acknowledged, changes: until, underWay } of session.moments) {
    const allowed = session.standings.slice(acknowledged, underWay + 1)
    for (const { held, told } of leftBy(session.base, session.changes.slice(0, until), random, more)) {
      const key = `${fingerprint(held)} ${acknowledged} ${underWay}`
      if (cases.has(key)) continue
      const step = session.told[underWay - 1] ?? "at first"
      cases.set(key, { held, allowed, told: `after ${until} changes, in: ${step}; ${told}` })
    }
  }
  return [...cases.values()]
}

/** The issue file before any `bd` has run: one that stood there, and not an older one than was acknowledged. */
const fileIsWhole = ({ allowed, held, told }: Case): ReadonlyArray<string> => {
  const found = contentOf(held, issueFile)?.toString()
  return allowed.some(({ file }) => file === found)
    ? []
    : [`${told}\nthe issue file is ${found === undefined ? "gone" : JSON.stringify(found)}`]
}

const ids = ["t-one", "t-two", "t-three"] as const

/** What else may happen, at length: any commands, killed anywhere. */
const randomSteps = (random: Random): ReadonlyArray<Step> => {
  const words = (n: number): ReadonlyArray<string> => {
    const id = random.pick(ids)
    const change = random.pick([
      ["create", `made ${n}`],
      ["update", id, "--title", `title ${n}`],
      ["update", id, "--append-notes", `note ${n}`, "--add-label", `l${n}`],
      ["close", id, "--reason", "done"],
      ["reopen", id],
      ["delete", id, "--force"],
      ["undelete", id],
      ["comment", id, `said ${n}`],
      ["rename-prefix", random.pick(["t", "u"])],
      ["flush", "--full"],
      ["list"]
    ])
    return random.below(4) === 0 ? [...change, "--no-auto-flush"] : change
  }
  const step = (n: number): Step => {
    if (random.below(8) === 0) return { edit: text => text.replace('"title":"', `"edited":${n},"title":"`) }
    const killed = { killedAfter: (changes: ReadonlyArray<Change>) => random.below(changes.length + 1) }
    return { words: words(n), ...(random.below(3) === 0 ? killed : {}) }
  }
  const first = ids.map((id): Step => ({ words: ["create", id, "--id", id] }))
  return [...first.slice(0, 1 + random.below(3)), ...Array.from({ length: 6 }, (_, n) => step(n))]
}

interface Row {
  readonly id: string
  readonly line: string
  readonly marked: number
}

const rowsOf = (held: Held): ReadonlyArray<Row> | undefined => {
  const directory = scratch()
  for (const name of ["beads.db", "beads.db-wal"]) {
    const bytes = contentOf(held, name)
    if (bytes !== undefined) writeFileSync(join(directory, name), bytes)
  }
  const database = new Database(join(directory, "beads.db"))
  try {
    database.pragma("synchronous = off")
    if (database.pragma("integrity_check", { simple: true }) !== "ok") return undefined
    return database
      .prepare("select id, line, exists (select 1 from dirty_issues where issue_id = id) marked from issues")
      .all() as ReadonlyArray<Row>
  } catch {
    return undefined
  } finally {
    database.close()
    rmSync(directory, { recursive: true })
  }
}

/**
 * Foretells what `bd` will find, without running it: marked rows, else the line of the file, else the row. Cases that
 * look bad so come first; whether they are, `bd` says.
 */
const suspicion = () => {
  const known = new Map<string, ReadonlyArray<Row> | undefined>()
  return ({ allowed, held }: Case): boolean => {
    const names = new Map([...held.names].filter(([name]) => /^beads\.db(-wal)?$/.test(name)))
    const key = fingerprint({ ...held, names })
    if (!known.has(key)) known.set(key, rowsOf(held))
    const rows = known.get(key)
    if (rows === undefined) return true
    const texts = (contentOf(held, issueFile)?.toString() ?? "").split("\n").slice(0, -1)
    const inFile = new Map(texts.map(text => [(JSON.parse(text) as { id: string }).id, text]))
    for (const { id, line, marked } of rows) if (marked === 1 || !inFile.has(id)) inFile.set(id, line)
    const foretold = sorted([...inFile.values()])
    return !allowed.some(standing => standing.lines === foretold)
  }
}

/** What the next commands find. */
const recovers = async ({ allowed, held }: Case, reads: boolean): Promise<void> => {
  const place = materialise(held)
  const known = allowed.map(standing => standing.lines)
  const file = contentOf(held, issueFile)?.toString()
  if (reads) {
    const seen = ok(await bd(place, "export"))
    expect(known).toContain(sorted(seen.stdout.split("\n").slice(0, -1)))
    expect(contentOf(heldBy(place, { names: new Map(), next: 1 }), issueFile)?.toString()).toBe(file)
  }
  const next = ok(await bd(place, "create", "next", "--json"))
  expect(next.stderr).toBe("")
  const isNext = (line: string) => line.includes('"title":"next"')
  expect(lines(place).filter(isNext)).toHaveLength(1)
  expect(known).toContain(sorted(lines(place).filter(line => !isNext(line))))
  const { integrity, lines: rows, marks } = stored(place)
  expect(integrity).toBe("ok")
  expect(marks).toEqual([])
  expect(sorted(rows.map(({ line }) => line))).toBe(sorted(lines(place)))
  expect(leftovers(place)).toEqual([])
}

const has =
  (name: string, gone = false) =>
  (change: Change) =>
    change._tag === "Names" && change.to.some(([each, file]) => each === name && (file === undefined) === gone)

/** Killed when the file has just been replaced, the directory not synced yet. */
const justPublished = (changes: ReadonlyArray<Change>): number => changes.findIndex(has(issueFile)) + 1

/** Every way to publish: the first file, a replaced one, several marks, after an edit, and after a kill. */
const steps: ReadonlyArray<Step> = [
  { words: ["create", "one", "--id", "t-one"] },
  { words: ["create", "two", "--id", "t-two", "--deps", "blocks:t-one"] },
  { words: ["update", "t-one", "--title", "other", "--no-auto-flush"] },
  { words: ["close", "t-two", "--reason", "done"], killedAfter: justPublished },
  // nothing is left to publish, but what the killed one renamed has to last
  { words: ["flush"] },
  { words: ["update", "t-two", "--notes", "more"] },
  { edit: text => text.replace('"title":"two"', '"title":"by an editor"') },
  { words: ["delete", "t-one", "--force"] }
]

const totals = { sessions: 0, moments: 0, states: 0, foretold: 0, suspects: 0, recovered: 0 }
afterAll(() => console.log(`seed ${seed}:`, totals))

it(
  "G11, G12, G28: power lost at any call of a session: nothing acknowledged is missing, nothing torn",
  async () => {
    const random = randomOf(seed)
    const begun = performance.now()
    do {
      const session = await sessionOf(totals.sessions === 0 ? steps : randomSteps(random))
      const cases = casesOf(session, random, 4)
      totals.sessions++
      totals.moments += session.moments.length
      totals.states += cases.length
      expect(cases.flatMap(fileIsWhole).slice(0, 5)).toEqual([])

      const problems: Array<string> = []
      const deadline = Math.min(performance.now() + 30_000, begun + milliseconds(12_000))
      const looksBad = suspicion()
      // half of the time to foretell, half to see
      const half = (performance.now() + deadline) / 2
      const foretold = (each: Case): boolean => {
        if (performance.now() > half) return false
        totals.foretold++
        return looksBad(each)
      }
      const order = cases
        .map(each => ({ each, at: random.below(2 ** 31) }))
        .sort((a, b) => a.at - b.at)
        .map(drawn => ({ ...drawn, suspect: foretold(drawn.each) }))
        .sort((a, b) => Number(b.suspect) - Number(a.suspect))
      totals.suspects += order.filter(({ suspect }) => suspect).length
      await inParallel(2, order, async ({ at, each }) => {
        if (performance.now() > deadline && totals.recovered >= 20) return
        try {
          await recovers(each, at % 4 === 0)
          totals.recovered++
        } catch (problem) {
          problems.push(`${each.told}\n${String(problem)}`)
        }
      })
      expect(problems.slice(0, 5)).toEqual([])
    } while (performance.now() - begun < milliseconds(12_000))
  },
  milliseconds(12_000) + 240_000
)
