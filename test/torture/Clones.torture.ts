/**
 * Histories of many clones with real git: random work, commits, branches, merges, rebases, cherry-picks, stashes, resets
 * and conflicts, with `bd` as a process and embedded, stores deleted at random. Then all meet until nothing changes, and
 * what they have is held against what each of them knew (G19, G22–G25; knowledge.ts, cloneWork.ts, gitclones.ts).
 *
 * The n-th history of a run has the seed `seed + n`; a failing one is shortened, and its steps are printed.
 */
import { cpSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { expect, it } from "vitest"
import { type Clone, linesOf, type Place, place, type Shown, storeOf } from "../system/git.ts"
import { atLength, milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { count, counts, type Mode, World } from "./cloneWork.ts"
import { Member } from "./gitclones.ts"
import { refOf, type Verdict } from "./knowledge.ts"

const modes: ReadonlyArray<Mode> = ["driver", "union", "hand", "driver"]

/** Issues that all histories begin with. */
const first = 5

/** The repository that all histories begin with. */
const template = async (scratch: Place): Promise<string> => {
  const hub = await scratch.bare("template.git")
  const maker = await scratch.clone(hub, "maker")
  await maker.bd("init", "--prefix", "x")
  for (let n = 1; n <= first; n++) await maker.bd("create", `t${n}`, "--external-ref", `t${n}`)
  await maker.commit("seed")
  await maker.git("push", "--quiet", "origin", "HEAD:main")
  return hub
}

const setUp = async (clone: Clone, mode: Mode) => {
  if (mode !== "hand") {
    const way = mode === "driver" ? "beads" : "union"
    writeFileSync(join(clone.directory, ".git/info/attributes"), `.beads/issues.jsonl merge=${way}\n`)
  }
  await clone.git("config", "merge.beads.driver", "bd merge %A %O %A %B")
}

/** What chance alone hardly ever brings about; `a` and `b` are two clones. */
const rarities: ReadonlyArray<(a: Member, b: Member, random: Random) => Promise<void>> = [
  // of two issues that got one id the later one is deleted under the id that it was given then, and checked out again
  async (a, b, random) => {
    await a.meet(random, b)
    const parent = a.issues().find(({ id, status }) => status !== "tombstone" && !id.includes("."))
    if (parent === undefined) return
    await a.createChild(random, parent)
    const ref = await b.createChild(random, parent)
    const before = await b.commit(true)
    await b.take(random, a, await a.commit(true))
    await b.flush()
    const child = b.issues().find(issue => refOf(issue) === ref)
    if (child !== undefined) await b.delete(child)
    await b.branchAt(before)
    count("children created apart, deleted, checked out again")
  },
  // two bring an older line of a deleted issue back by hand
  async (a, b, random) => {
    await a.meet(random, b)
    const [issue, other] = a.issues().filter(({ status }) => status !== "tombstone")
    if (issue === undefined || other === undefined) return
    const ref = refOf(issue)
    const line = linesOf(a.clone.file).find(each => refOf(JSON.parse(each) as Shown) === ref)
    await a.delete(issue)
    await b.take(random, a, await a.commit(true))
    await b.title(random, other)
    await b.commit(true)
    for (const each of [a, b]) each.note(`an older line of ${issue.id} is put back`)
    await a.writeLine(ref, line)
    await a.take(random, b, await b.writeLine(ref, line), false)
    count("deleted issues put back by hand on both sides")
  },
  // one leaves a line out, another changes other lines
  async (a, b, random) => {
    await a.meet(random, b)
    await a.loseLine(random)
    const other = b.issues().find(({ status }) => status !== "tombstone")
    if (other !== undefined) await b.title(random, other)
    await a.take(random, b, await b.commit(true), false)
  }
]

/** Steps below 0 are the rarities. */
const rare = rarities.map((_, n) => -1 - n)

const step = async (members: ReadonlyArray<Member>, seedOfStep: number, n: number) => {
  const random = randomOf(seedOfStep)
  const member = random.pick(members)
  if (n < 0) return await rarities[-1 - n]?.(member, random.pick(members.filter(other => other !== member)), random)
  const what = random.below(41)
  if (what < 18) return await member.edit(random)
  if (what < 21) return void (await member.commit(random.below(4) > 0))
  if (what < 24) return await member.merge(random, await member.fetch())
  if (what < 25) {
    const other = random.pick(members)
    return await member.take(random, other, await other.commit(true))
  }
  if (what < 26) return await member.rebase(random, await member.fetch())
  if (what < 29) return await member.push()
  if (what < 31) return await member.checkout(random)
  if (what < 33) return await member.mergeBranch(random)
  if (what < 34) return await member.cherryPick(random)
  if (what < 35) return await member.stash()
  if (what < 37) return await member.popStash(random, true)
  if (what < 38) return await member.reset(random)
  if (what < 40) return await member.loseStore()
  return await member.loseLine(random)
}

/** Everyone meets everyone through the hub, until nothing changes any more. */
const exchange = async (members: ReadonlyArray<Member>, random: ReturnType<typeof randomOf>): Promise<boolean> => {
  for (let round = 0; round < 8; round++) {
    const heads = new Set<string>()
    for (const member of members) {
      await member.merge(random, await member.fetch(), false)
      await member.push()
      heads.add(await member.commit(true))
    }
    if (heads.size === 1) return true
  }
  return false
}

interface Outcome {
  readonly problems: ReadonlyArray<string>
  readonly log: ReadonlyArray<string>
  readonly verdict: Verdict | undefined
}

let number = 0

const history = async (
  scratch: Place,
  hub: string,
  own: number,
  { clones, mode, steps }: { clones: number; mode: Mode; steps: ReadonlyArray<number> }
): Promise<Outcome> => {
  const root = join(scratch.root, `h${++number}`)
  const bare = `${root}.git`
  cpSync(hub, bare, { recursive: true })
  const world = new World(mode, first)
  const members: Array<Member> = []
  const problems: Array<string> = []
  let verdict: Verdict | undefined
  try {
    for (let n = 0; n < clones; n++) {
      const clone = await scratch.clone(bare, `h${number}-${"abcdefghij"[n]}`)
      await setUp(clone, mode)
      const member = new Member(world, clone)
      member.begin()
      members.push(member)
    }
    for (const n of steps) await step(members, own * 1009 + n, n)
    const random = randomOf(own)
    for (const member of members) await member.gather(random)
    if (!(await exchange(members, random))) problems.push("commits go on for ever")
    const [member0] = members
    const end = linesOf(member0?.clone.file ?? "")
    for (const member of members) {
      const { file, name } = member.clone
      if (linesOf(file).join("\n") !== end.join("\n")) problems.push(`${name} has another file`)
      if ((await member.exported()) !== end.map(line => `${line}\n`).join(""))
        problems.push(`${name}: store and file differ`)
      if (storeOf(member.clone).marks.length > 0) problems.push(`${name} has marks`)
    }
    if (world.renamed) {
      // links follow the new ids
      for (const edit of world.ledger.edits) if (edit.unit.startsWith("needs:")) world.ledger.dropped.add(edit)
    }
    verdict = world.ledger.verdict(end.map(line => JSON.parse(line) as Shown))
    problems.push(...verdict.problems)
  } catch (problem) {
    problems.push(problem instanceof Error ? (problem.stack ?? problem.message) : JSON.stringify(problem))
  } finally {
    for (const member of members) await member.close()
    const kept = process.env["BD_TORTURE_KEEP"]
    if (kept !== undefined && problems.length > 0) cpSync(scratch.root, kept, { recursive: true })
    for (const { clone } of members) rmSync(clone.directory, { recursive: true, force: true })
    rmSync(bare, { recursive: true, force: true })
  }
  return { problems, log: world.log, verdict }
}

/** A failing history with as many of its steps left out as fail in few trials. */
const shortened = async (
  failed: Outcome,
  all: ReadonlyArray<number>,
  run: (steps: ReadonlyArray<number>) => Promise<Outcome>
): Promise<Outcome> => {
  let least = failed
  let steps = all
  let trials = atLength ? 24 : 6
  for (let size = Math.ceil(steps.length / 2); size > 0 && trials > 0; size = Math.floor(size / 2)) {
    for (let from = 0; from < steps.length && trials > 0; trials--) {
      const left = [...steps.slice(0, from), ...steps.slice(from + size)]
      const outcome = await run(left)
      if (outcome.problems.length === 0) from += size
      else [least, steps] = [outcome, left]
    }
  }
  return least
}

it(
  "G19, G22, G23, G24, G25: random histories of clones through git: nothing vanishes or returns, and all end equal",
  async () => {
    const scratch = place()
    const hub = await template(scratch)
    const failures: Array<string> = []
    let histories = 0
    let steps = 0
    let [exact, inexact, lost] = [0, 0, 0]
    const begun = performance.now()
    for (let own = seed; performance.now() - begun < milliseconds(12_000); own++) {
      const random = randomOf(own)
      const usual = Array.from({ length: 20 + random.below(40) }, (_, n) => n)
      const at = random.below(usual.length)
      const setting = {
        // the first has the rarities alone, on which nothing else has a bearing
        mode: histories === 0 ? "driver" : random.pick(modes),
        clones: random.pick(atLength ? [2, 2, 2, 3, 3, 5, 5, 10] : [2, 2, 3, 5]),
        steps: histories === 0 ? rare : [...usual.slice(0, at), random.pick(rare), ...usual.slice(at)]
      } as const
      const outcome = await history(scratch, hub, own, setting)
      histories++
      steps += setting.steps.length
      exact += outcome.verdict?.exact ?? 0
      inexact += outcome.verdict?.inexact ?? 0
      lost += outcome.verdict?.lostInexactly ?? 0
      count(`histories of ${setting.clones} by ${setting.mode}`)
      if (outcome.problems.length > 0) {
        const least = await shortened(outcome, setting.steps, left =>
          history(scratch, hub, own, { ...setting, steps: left })
        )
        failures.push(
          [`seed ${own}, ${setting.clones} clones, ${setting.mode}:`, ...least.problems, ...least.log].join("\n")
        )
        if (failures.length > 2) break
      }
    }
    console.log(
      `seed ${seed}: ${histories} histories, ${steps} steps; ${exact} edits whose ancestors git knows, of ${inexact} others ${lost} lost; ${JSON.stringify(counts)}`
    )
    expect(failures.join("\n\n")).toBe("")
    expect(counts["merges"]).toBeGreaterThan(histories)
  },
  milliseconds(12_000) + 120_000
)
