/**
 * `bd` while git works on the same file: checkout, merge, rebase, stash and reset run on and on as long as several bd
 * processes change issues (G16, G20, G22).
 *
 * What "lost" means: a change that bd acknowledged with exit 0 stands, in the end, in store and file; and so does what
 * git brought (edits of somebody without bd, by their commits). `git reset --hard` is asked to throw changes away, and
 * `git stash` ends with one: between its reading of the file and that reset it holds no lock (strace shows it), so what
 * any program writes then is thrown away unsaved, and the clean row follows the file. What has to come back there is an
 * issue that the file lacks: these rounds create issues, and but for the stash, which may bring an older line, change them.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import type { Ended } from "./bd.ts"
import { type Clone, issuesIn, linesOf, type Place, place, type Shown, storeOf } from "./git.ts"

/** Five kinds by turns. `ROUNDS=300` is the long run. */
const rounds = Number(process.env["ROUNDS"] ?? 40)
const shared = ["x-a", "x-b", "x-c", "x-d", "x-e"]

let scratch: Place
beforeEach(() => {
  scratch = place()
})

/** What was acknowledged, and by whom. */
interface Ledger {
  /** Title by id. */
  readonly created: Map<string, string>
  readonly comments: Array<{ readonly id: string; readonly text: string }>
  readonly labels: Array<{ readonly id: string; readonly label: string }>
  /** Title set last, by one process at a time. */
  readonly titles: Map<string, string>
}

/**
 * How often git was kept from its work by a change of bd's that came in between, how often it went through, and how often
 * it kept a stash but could not put back the file that it had taken away: bd had published in that moment.
 */
const counts = { refused: 0, done: 0, duringBd: 0, collided: 0 }

const acknowledged = (ended: Ended): Ended => {
  expect(ended, ended.stderr).toMatchObject({ exitCode: 0 })
  return ended
}

/** The processes of a round: of new issues and their comments, and where nothing is thrown away of the shared ones. */
const changes = (work: Clone, ledger: Ledger, round: number, what: Work): Promise<unknown> => {
  const id = shared[round % shared.length] ?? ""
  const other = shared[(round + 2) % shared.length] ?? ""
  const create = async (n: number) => {
    const title = `round ${round} process ${n}`
    const issue = JSON.parse(acknowledged(await work.tryBd("create", title, "--json")).stdout) as Shown
    ledger.created.set(issue.id, title)
    return issue.id
  }
  const comment = async (on: string, text: string) => {
    acknowledged(await work.tryBd("comments", "add", on, text))
    ledger.comments.push({ id: on, text })
  }
  const label = async (on: string, name: string) => {
    acknowledged(await work.tryBd("update", on, "--add-label", name, "--title", `titled in round ${round}`))
    ledger.labels.push({ id: on, label: name })
    ledger.titles.set(on, `titled in round ${round}`)
  }
  return Promise.all(
    what === "shared"
      ? [create(0), comment(id, `comment of round ${round}`), label(other, `label-${round}`)]
      : what === "new"
        ? [create(0).then(made => comment(made, `comment of round ${round}`)), create(1)]
        : [create(0), create(1), create(2)]
  )
}

/** Does something again and again while the processes run, at least once after the last of them began. */
const meanwhile = async (running: Promise<unknown>, work: () => Promise<void>) => {
  let over = false
  const ended = running.finally(() => {
    over = true
  })
  // a failure is thrown below, when git has let go
  ended.catch(() => undefined)
  do {
    await work()
    if (!over) counts.duringBd += 1
  } while (!over)
  await ended
}

const attempt = async (work: Clone, ...words: ReadonlyArray<string>): Promise<boolean> => {
  const ran = await work.tryGit(...words)
  if (ran.exitCode === 0) {
    counts.done += 1
    return true
  }
  // the only reason there may be: what bd has published is in the way
  expect(ran.stderr + ran.stdout).toMatch(
    /would be overwritten|unstaged changes|uncommitted changes|not uptodate|local changes|nothing to commit|no changes added|No local changes|needs update|needs merge/i
  )
  counts.refused += 1
  return false
}

const commit = async (work: Clone, message: string) => {
  await work.git("add", "--all")
  await work.git("commit", "--quiet", "--allow-empty", "--message", message)
}

const insist = async (work: Clone, ...words: ReadonlyArray<string>) => {
  for (let n = 0; n < 20; n++) {
    if (await attempt(work, ...words)) return
    await commit(work, "what was in the way")
  }
  throw new Error(`git ${words.join(" ")} is refused again and again`)
}

/** Somebody without bd: edits lines, adds one, commits and pushes. */
const foreignEdit = async (other: Clone, ledger: Ledger, round: number) => {
  await other.git("fetch", "--quiet")
  await other.git("reset", "--quiet", "--hard", "origin/main")
  const id = shared[round % shared.length] ?? ""
  const label = `foreign-${round}`
  const at = new Date().toISOString()
  const made = {
    id: `x-foreign-${round}`,
    title: `foreign ${round}`,
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: at,
    updated_at: at
  }
  let edited = false
  const lines = linesOf(other.file).map(line => {
    const issue = JSON.parse(line) as Shown
    // of two lines that a union left side by side, the first
    if (issue.id !== id || edited) return line
    edited = true
    return JSON.stringify({ ...issue, labels: [...(issue.labels ?? []), label].sort(), updated_at: at })
  })
  writeFileSync(
    other.file,
    [...lines, JSON.stringify(made)]
      .sort()
      .map(line => `${line}\n`)
      .join("")
  )
  await other.commit(`foreign ${round}`)
  await other.git("push", "--quiet", "origin", "HEAD:main")
  ledger.labels.push({ id, label })
  ledger.created.set(made.id, made.title)
}

/** What the bd processes of a round work on. */
type Work = "shared" | "new" | "created"

type Round = (work: Clone, other: Clone, ledger: Ledger, round: number) => Promise<void>

const merging: Round = async (work, other, ledger, round) => {
  await work.git("push", "--quiet", "origin", "HEAD:main")
  await foreignEdit(other, ledger, round)
  await work.git("fetch", "--quiet")
  await meanwhile(changes(work, ledger, round, "shared"), async () => {
    await attempt(work, "merge", "--no-edit", "origin/main")
    await commit(work, `own ${round}`)
  })
  await insist(work, "merge", "--no-edit", "origin/main")
}

const rebasing: Round = async (work, other, ledger, round) => {
  await work.git("push", "--quiet", "origin", "HEAD:main")
  // commits of our own to be moved
  acknowledged(await work.tryBd("comments", "add", "x-kept", `moved in round ${round}`))
  ledger.comments.push({ id: "x-kept", text: `moved in round ${round}` })
  await commit(work, `own ${round}`)
  await foreignEdit(other, ledger, round)
  await work.git("fetch", "--quiet")
  const rebase = async () => {
    let through = await attempt(work, "rebase", "origin/main")
    for (let n = 0; n < 20 && (await isRebasing(work)); n++) {
      await commit(work, "what was in the way")
      through = await attempt(work, "rebase", "--continue")
    }
    return through
  }
  await meanwhile(changes(work, ledger, round, "shared"), async () => {
    await rebase()
    await commit(work, `own ${round}`)
  })
  for (let n = 0; n < 20 && !(await rebase()); n++) await commit(work, "what was in the way")
  expect(await isRebasing(work)).toBe(false)
}

const isRebasing = async (work: Clone) => (await work.git("status")).includes("rebase in progress")

const checkingOut: Round = async (work, _other, ledger, round) => {
  await meanwhile(changes(work, ledger, round, "shared"), async () => {
    await attempt(work, "checkout", "--quiet", "older")
    await attempt(work, "checkout", "--quiet", "main")
  })
  // what was published on the older branch is committed there
  await commit(work, `on whichever branch ${round}`)
  await insist(work, "checkout", "--quiet", "main")
  await insist(work, "merge", "--no-edit", "older")
  // the older branch goes on, but stays behind
  if (round % 4 === 0) await work.git("branch", "--force", "older", "HEAD~1")
}

const stashing: Round = async (work, _other, ledger, round) => {
  // something to stash, which nobody changes meanwhile
  acknowledged(await work.tryBd("comments", "add", "x-kept", `stashed in round ${round}`))
  ledger.comments.push({ id: "x-kept", text: `stashed in round ${round}` })
  let stashed = 0
  const pop = async () => {
    if (await attempt(work, "stash", "pop")) stashed -= 1
  }
  const depth = async () => (await work.git("stash", "list")).split("\n").length - 1
  await meanwhile(changes(work, ledger, round, "created"), async () => {
    const before = await depth()
    const ran = await work.tryGit("stash", "push")
    stashed = await depth()
    if (ran.exitCode !== 0) {
      expect(ran.stderr).toContain("unable to create file .beads/issues.jsonl: File exists")
      expect(stashed).toBe(before + 1)
      counts.collided += 1
    }
    if (stashed > 0) await pop()
  })
  for (let n = 0; (await depth()) > 0; n++) {
    if (n > 20) throw new Error("the stash cannot be taken back")
    await commit(work, "before the stash comes back")
    await pop()
  }
}

const resetting: Round = async (work, _other, ledger, round) => {
  const tip = (await work.git("rev-parse", "HEAD")).trim()
  await meanwhile(changes(work, ledger, round, "new"), async () => {
    await work.git("reset", "--quiet", "--hard", `${tip}~1`)
    await work.git("reset", "--quiet", "--hard", tip)
    counts.done += 2
  })
}

const kinds: ReadonlyArray<readonly [string, Round]> = [
  ["merge", merging],
  ["checkout", checkingOut],
  ["stash", stashing],
  ["rebase", rebasing],
  ["reset", resetting]
]

const missing = (clone: Clone, ledger: Ledger): ReadonlyArray<string> => {
  const issues = issuesIn(clone.file)
  const texts = new Map([...issues].map(([id, issue]) => [id, new Set((issue.comments ?? []).map(({ text }) => text))]))
  return [
    ...[...ledger.created].filter(([id, title]) => issues.get(id)?.title !== title).map(([id]) => `issue ${id}`),
    ...ledger.comments.filter(({ id, text }) => texts.get(id)?.has(text) !== true).map(({ text }) => text),
    ...ledger.labels
      .filter(({ id, label }) => issues.get(id)?.labels?.includes(label) !== true)
      .map(({ label }) => label),
    ...[...ledger.titles]
      .filter(([id, title]) => issues.get(id)?.title !== title)
      .map(([id, title]) => `${id} ${title}`)
  ]
}

describe("git at work", () => {
  it(
    `G16, G20, G22: ${rounds} rounds of bd against checkout, merge, rebase, stash and reset lose nothing`,
    async () => {
      const hub = await scratch.bare("hub.git")
      const work = await scratch.clone(hub, "work")
      await work.bd("init", "--prefix", "x", "--merge-driver")
      for (const id of [...shared, "x-kept"]) await work.bd("create", id, "--id", id)
      await commit(work, "seed")
      await commit(work, "another")
      await work.git("branch", "older", "HEAD~1")
      await work.git("push", "--quiet", "origin", "HEAD:main")
      const other = await scratch.clone(hub, "other")
      const ledger: Ledger = { created: new Map(), comments: [], labels: [], titles: new Map() }
      const settled = async (what: string) => {
        await work.bd("flush")
        await commit(work, "settled")
        expect(missing(work, ledger), what).toEqual([])
      }
      const done: Array<string> = []
      for (let round = 0; round < rounds; round++) {
        const [name, run] = kinds[round % kinds.length] ?? kinds[0] ?? ["", merging]
        // by turns git merges with our driver, and leaves both lines. But where a rebase leaves both, no commit tells where
        // they come from; the store's memory decides, which is not exact (ARCHITECTURE.md, "The merge")
        const way = name === "rebase" || Math.floor(round / kinds.length) % 2 === 0 ? "beads" : "union"
        writeFileSync(join(work.directory, ".git/info/attributes"), `.beads/issues.jsonl merge=${way}\n`)
        await run(work, other, ledger, round)
        done.push(`${round}: ${name}, ${way}`)
        if (done.length === kinds.length || round === rounds - 1) await settled(done.splice(0).join("; "))
      }
      // git's own is sound: every object, every branch
      await work.git("fsck", "--strict", "--no-dangling")
      expect(ledger.created.size).toBeGreaterThanOrEqual(rounds)
      expect(storeOf(work).marks).toEqual([])
      expect((storeOf(work).issues as ReadonlyArray<{ line: string }>).map(({ line }) => line)).toEqual(
        linesOf(work.file)
      )
      const before = readFileSync(work.file, "utf8")
      const fresh = await scratch.clone(work.directory, "fresh")
      await fresh.bd("init")
      expect((await fresh.bd("export")).stdout).toBe(before)
      // they did come in each other's way
      console.info(JSON.stringify(counts))
      expect(counts.duringBd).toBeGreaterThan(rounds)
      expect(counts.refused).toBeGreaterThan(rounds / 10)
      // of some hundred stashes beside some hundred publishes
      expect(counts.collided).toBeLessThanOrEqual(1 + rounds / 40)
    },
    60_000 + rounds * 15_000
  )
})
