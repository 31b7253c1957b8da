/**
 * Random histories of clones with real git and the real parts: `bd` as a process, and the tracker embedded in this one,
 * on the same clone by turns. Each step has choices of its own, so that a history can be shortened by leaving out steps.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Context, Duration, Effect, Either, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { toJson } from "../../src/domain/Issue.ts"
import * as Exporter from "../../src/flush/Exporter.ts"
import * as FlushManager from "../../src/flush/FlushManager.ts"
import * as FlushOptions from "../../src/flush/FlushOptions.ts"
import * as IntegrityChecker from "../../src/flush/IntegrityChecker.ts"
import * as Reconciler from "../../src/flush/Reconciler.ts"
import * as GitHistory from "../../src/issue-file/GitHistory.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import * as Tracker from "../../src/tracker/Tracker.ts"
import { type Clone, linesOf, type Shown, until } from "../system/git.ts"
import type { Random } from "./budget.ts"
import { type Edit, Ledger, refOf, said } from "./knowledge.ts"

/** How git brings two sides of the issue file together: by our driver, both lines, or a conflict for a person. */
export type Mode = "driver" | "union" | "hand"

/** What is known at a commit or of a stash: for certain, and at most. */
interface Known {
  readonly min: ReadonlySet<Edit>
  readonly max: ReadonlySet<Edit>
}

type Edits = Set<Edit>

export const counts: Record<string, number> = {}
export const count = (what: string) => {
  counts[what] = (counts[what] ?? 0) + 1
}

const without = (edits: ReadonlySet<Edit>, others: ReadonlySet<Edit>) => [...edits].filter(edit => !others.has(edit))
const add = (to: Edits, edits: Iterable<Edit>) => {
  for (const edit of edits) to.add(edit)
}

const markers = /^(<<<<<<<|=======|>>>>>>>).*\n/gm
const beforeBase = /^\|{7}[^=]*?(?=^={7})/gm

/** What all clones of one history share. */
export class World {
  readonly ledger = new Ledger()
  readonly log: Array<string> = []
  readonly commits = new Map<string, Known>()
  /** The issue file in each of them. */
  readonly texts = new Map<string, string>()
  /** Known to what was pushed: no reset throws that away for good. */
  readonly pushed: Edits = new Set()
  /** Commits that one clone took from another without the hub. */
  readonly given: Array<string> = []
  readonly mode: Mode
  token = 0
  renamed = false
  lastCreate = 0

  /** The issues that all begin with. */
  readonly first: ReadonlyArray<Edit>

  constructor(mode: Mode, first: number) {
    this.mode = mode
    this.first = Array.from({ length: first }, () => {
      const issue = this.next()
      return this.ledger.add({ issue, unit: "created", value: "", at: "", past: new Set() })
    })
  }

  next() {
    return `t${++this.token}`
  }
}

const layers = (directory: string) => {
  const file = join(directory, ".beads/issues.jsonl")
  return FlushManager.layer.pipe(
    // it is flushed when the history says so
    Layer.provide(FlushOptions.layer({ debounce: "1 hour", maxDelay: "2 hours" })),
    Layer.provideMerge(Exporter.layer),
    Layer.provideMerge(Reconciler.layer),
    Layer.provideMerge(IntegrityChecker.layer),
    Layer.provideMerge(
      SqliteStore.layer({ path: join(directory, ".beads/beads.db"), busyTimeout: Duration.seconds(30) })
    ),
    Layer.provideMerge(IssueLock.layer({ path: `${file}.lock`, timeout: Duration.seconds(30) })),
    Layer.provideMerge(GitHistory.layer(file)),
    Layer.provideMerge(IssueFile.layer({ path: file, gitTimeout: Duration.seconds(30) }))
  )
}

type Changed = Either.Either<Shown, string>

/** A clone, and what it knows. */
export class Member {
  readonly clone: Clone
  readonly world: World
  /** What the files of its work tree show, and what waits in its store to be shown. */
  working: Edits = new Set()
  pending: Edits = new Set()
  /** All that it ever saw: its store may hold it. */
  readonly seen: Edits = new Set()
  readonly stashes: Array<Known> = []
  readonly branches: Array<string> = ["main"]
  #scope: Scope.CloseableScope | undefined
  #tracker: Tracker.Tracker["Type"] | undefined

  constructor(world: World, clone: Clone) {
    this.world = world
    this.clone = clone
  }

  #note(what: string) {
    this.world.log.push(`${this.clone.name} ${what}`)
  }

  // ---- bd, as a process or embedded ----------------------------------------------------------------------------------

  async #run<A, E>(use: (tracker: Tracker.Tracker["Type"]) => Effect.Effect<A, E>): Promise<Either.Either<A, E>> {
    if (this.#tracker === undefined) {
      const scope = Effect.runSync(Scope.make())
      const services = await Effect.runPromise(
        Layer.buildWithScope(layers(this.clone.directory), scope).pipe(Logger.withMinimumLogLevel(LogLevel.None))
      )
      this.#scope = scope
      this.#tracker = await Effect.runPromise(
        Tracker.make({ actor: this.clone.name, fallbackPrefix: "x" }).pipe(Effect.provide(services))
      )
    }
    return await Effect.runPromise(
      Effect.either(use(this.#tracker)).pipe(Effect.provide(Context.empty()), Logger.withMinimumLogLevel(LogLevel.None))
    )
  }

  async close() {
    if (this.#scope !== undefined) await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    this.#scope = undefined
    this.#tracker = undefined
  }

  async flush(how: "bd" | "embedded" = "embedded") {
    if (how === "bd") await this.clone.bd("flush")
    else {
      const flushed = await this.#run(tracker => tracker.flushNow())
      if (Either.isLeft(flushed)) throw new Error(`${this.clone.name}: flush: ${String(flushed.left)}`)
    }
    this.pending.clear()
  }

  async exported(): Promise<string> {
    const bytes = await this.#run(tracker => tracker.export())
    if (Either.isLeft(bytes)) throw new Error(String(bytes.left))
    return Buffer.from(bytes.right).toString()
  }

  issues(): ReadonlyArray<Shown> {
    const number = (issue: Shown) => Number(refOf(issue).slice(1))
    return linesOf(this.clone.file)
      .map(line => JSON.parse(line) as Shown)
      .filter(issue => refOf(issue) !== "" && issue["renamed_to"] === undefined)
      .sort((a, b) => number(a) - number(b))
  }

  #learn(edit: Edit, isPending: boolean) {
    this.working.add(edit)
    this.seen.add(edit)
    if (isPending) this.pending.add(edit)
  }

  #tell(issue: string, units: Readonly<Record<string, string>>, isPending: boolean, at = "") {
    const past = new Set(this.working)
    for (const [unit, value] of Object.entries(units)) {
      this.#learn(this.world.ledger.add({ issue, unit, value, at, past }), isPending)
    }
  }

  /** One change; what cannot be done (somebody deleted it) is left. `units`: what it says afterwards of these is told. */
  async #change(
    random: Random,
    words: ReadonlyArray<string>,
    use: (tracker: Tracker.Tracker["Type"]) => Effect.Effect<Parameters<typeof toJson>[0], Error | { _tag: string }>,
    units: ReadonlyArray<string>
  ) {
    const byProcess = random.below(6) === 0
    this.#note(`${byProcess ? "bd" : "embedded:"} ${words.join(" ")}`)
    let changed: Changed
    if (byProcess) {
      const ran = await this.clone.tryBd(...words, "--json")
      if (ran.exitCode === 0) {
        const answer = JSON.parse(ran.stdout) as Shown | ReadonlyArray<Shown>
        changed = Either.right((Array.isArray(answer) ? answer[0] : answer) as Shown)
        this.pending.clear()
      } else if (ran.exitCode === 3 || ran.exitCode === 5) changed = Either.left(ran.stderr)
      else throw new Error(`${this.clone.name}: bd ${words.join(" ")}: exit ${ran.exitCode}: ${ran.stderr}`)
      count("bd processes")
    } else {
      const ran = await this.#run(use)
      if (Either.isRight(ran)) changed = Either.right(JSON.parse(JSON.stringify(toJson(ran.right))) as Shown)
      else if (/NotFound|Conflict|CycleFound/.test((ran.left as { _tag: string })._tag)) changed = Either.left("")
      else throw new Error(`${this.clone.name}: ${words.join(" ")}: ${String(ran.left)}`)
    }
    if (Either.isLeft(changed)) return count("edits of what is gone")
    const answer = changed.right
    this.#tell(
      refOf(answer),
      Object.fromEntries(units.map(unit => [unit, unit === "created" ? "" : said(answer, unit)])),
      !byProcess
    )
    count("edits")
    if (!byProcess && random.below(5) > 0) await this.flush()
  }

  async edit(random: Random) {
    const { world } = this
    const all = this.issues()
    const live = all.filter(({ status }) => status !== "tombstone")
    const dead = all.filter(({ status }) => status === "tombstone")
    const text = world.next()
    if (live.length === 0 || random.below(7) === 0) {
      return await this.#change(
        random,
        ["create", text, "--external-ref", text],
        tracker => tracker.create({ title: text, external_ref: text }),
        ["created", "title"]
      )
    }
    const issue = random.pick(live)
    const { id } = issue
    const update = (words: ReadonlyArray<string>, fields: Parameters<Tracker.Tracker["Type"]["update"]>[1]) =>
      this.#change(
        random,
        ["update", id, ...words],
        tracker => tracker.update(id, fields),
        Object.keys(fields).map(key => (key === "appendNotes" ? "notes" : key))
      )
    switch (random.below(17)) {
      case 0: {
        // lines of one id, created within a second, are one issue (G24): two people are not that quick
        const earlier = world.lastCreate
        await until(() => Date.now() > earlier + 1100)
        await this.#change(
          random,
          ["create", text, "--external-ref", text, "--parent", id],
          tracker => tracker.create({ title: text, external_ref: text, parent: id }),
          ["created", "title"]
        )
        world.lastCreate = Date.now()
        return
      }
      case 1:
      case 2:
        return await update(["--title", text], { title: text })
      case 3:
        return await update(["--notes", text, "--design", text], { notes: text, design: text })
      case 4:
        return await update(["--append-notes", text], { appendNotes: text })
      case 5:
        return await update(["--description", text, "--assignee", text], { description: text, assignee: text })
      case 6:
        return await this.#change(
          random,
          ["close", id, "--reason", text],
          tracker => tracker.close(id, { reason: text }),
          ["status"]
        )
      case 7:
        return await update(["--status", "in_progress"], { status: "in_progress" })
      case 8:
      case 9:
        return await this.#change(random, ["update", id, "--add-label", text], tracker => tracker.addLabel(id, text), [
          `labels:${text}`
        ])
      case 10: {
        const [label] = issue.labels ?? []
        if (label === undefined) return
        return await this.#change(
          random,
          ["update", id, "--remove-label", label],
          tracker => tracker.removeLabel(id, label),
          [`labels:${label}`]
        )
      }
      case 11:
      case 12: {
        this.#note(`embedded: comment on ${id}: ${text}`)
        const made = await this.#run(tracker => tracker.addComment(id, text))
        if (Either.isLeft(made)) return count("edits of what is gone")
        const shown = await this.#run(tracker => tracker.show(id))
        if (Either.isLeft(shown)) throw new Error(String(shown.left))
        this.#tell(String(shown.right.issue.external_ref), { [`comments:${text}`]: "true" }, true)
        count("edits")
        if (random.below(2) === 0) await this.flush("bd")
        return
      }
      case 13: {
        const on = random.pick(live).id
        if (on === id || on.includes(".") || id.includes(".")) return
        this.#note(`embedded: ${id} needs ${on}`)
        const made = await this.#run(tracker => tracker.addDependency(id, on, "related"))
        if (Either.isLeft(made)) return count("edits of what is gone")
        this.#tell(refOf(issue), { [`needs:${on}`]: "true" }, true)
        count("edits")
        return await this.flush()
      }
      case 14: {
        this.#note(`embedded: delete ${id}`)
        const made = await this.#run(tracker => tracker.delete([id]))
        return Either.isLeft(made) ? count("edits of what is gone") : await this.#lifeOf(issue, "deleted")
      }
      case 15: {
        const back = dead[random.below(dead.length || 1)]
        if (back === undefined) return
        this.#note(`embedded: undelete ${back.id}`)
        const made = await this.#run(tracker => tracker.undelete(back.id))
        return Either.isLeft(made) ? count("edits of what is gone") : await this.#lifeOf(back, "lives")
      }
      default: {
        if (random.below(4) > 0) return await update(["--acceptance", text], { acceptance_criteria: text })
        const to = random.pick(["x", "y", "z"])
        const from = random.pick(["x", "y"])
        if (to === from) return
        world.renamed = true
        this.#note(`embedded: rename ${from} to ${to}`)
        const made = await this.#run(tracker => tracker.renamePrefix(to, { from }))
        if (Either.isRight(made)) count("renames")
        return await this.flush()
      }
    }
  }

  async #lifeOf({ id, ...issue }: Shown, value: "deleted" | "lives") {
    const events = await this.#run(tracker => tracker.history({ id, limit: 1 }))
    const at = Either.isRight(events) ? events.right?.[0]?.at : undefined
    if (at === undefined) throw new Error(`no event tells when ${id} was ${value}`)
    this.#tell(refOf({ id, ...issue }), { life: value }, true, at)
    count(value === "lives" ? "undeletions" : "deletions")
    await this.flush()
  }

  // ---- git -----------------------------------------------------------------------------------------------------------

  /** Reads what `git rev-parse` would say: a process for it is dear, and it is asked often. */
  #head(): string {
    const head = readFileSync(join(this.clone.directory, ".git/HEAD"), "utf8").trim()
    return head.startsWith("ref: ") ? this.#commitOf(head.slice(5)) : head
  }

  #commitOf(ref: string): string {
    const file = join(this.clone.directory, ".git", ref)
    if (existsSync(file)) return readFileSync(file, "utf8").trim()
    const packed = readFileSync(join(this.clone.directory, ".git/packed-refs"), "utf8").split("\n")
    const [commit] = packed.find(line => line.endsWith(` ${ref}`))?.split(" ") ?? []
    if (commit === undefined) throw new Error(`${this.clone.name} has no ${ref}`)
    return commit
  }

  knownAt(commit: string): Known {
    const known = this.world.commits.get(commit)
    if (known === undefined) throw new Error(`nothing is known of ${commit}`)
    return known
  }

  #record() {
    const head = this.#head()
    if (!this.world.commits.has(head)) {
      this.#noteReturned()
      this.world.commits.set(head, { min: new Set(without(this.working, this.pending)), max: new Set(this.seen) })
      this.world.texts.set(head, readFileSync(this.clone.file, "utf8"))
    }
    return head
  }

  isDirty() {
    return readFileSync(this.clone.file, "utf8") !== this.world.texts.get(this.#head())
  }

  /** Issues whose line came back (G19), or came by a cherry-pick, where the commit that made them is no ancestor. */
  #noteReturned() {
    const known = new Set([...this.working].flatMap(edit => (edit.unit === "created" ? [edit.issue] : [])))
    for (const issue of this.issues()) if (!known.has(refOf(issue))) this.world.ledger.copied.add(refOf(issue))
  }

  /** A clone just made: the issues of its file are known to all. */
  begin() {
    for (const edit of this.world.first) this.#learn(edit, false)
    this.#record()
  }

  async commit(flushed: boolean) {
    if (flushed) await this.flush()
    if (this.isDirty()) {
      await this.clone.commit(`by ${this.clone.name}`)
      count("commits")
    }
    return this.#record()
  }

  /** The work tree is at a commit now; what waits in the store goes along. */
  #at({ max, min }: Known) {
    this.working = new Set([...min, ...this.pending])
    add(this.seen, max)
  }

  #take({ max, min }: Known) {
    add(this.working, min)
    add(this.seen, max)
  }

  /**
   * Edits that need not come back, and that what stands in their place now may stand: whoever drops an edit decides for
   * what the issue said otherwise.
   */
  async #drop(edits: Iterable<Edit>, into: ReadonlySet<Edit> & { add: (edit: Edit) => unknown }) {
    await this.flush()
    const { ledger } = this.world
    const past = new Set(this.seen)
    const units = new Map<string, Edit>()
    for (const edit of edits) {
      into.add(edit)
      if (edit.unit !== "life" && edit.unit !== "created") units.set(`${edit.issue} ${edit.unit}`, edit)
    }
    const issues = new Map(this.issues().map(issue => [refOf(issue), issue]))
    for (const { issue, unit } of units.values()) {
      const shown = issues.get(issue)
      if (shown === undefined) continue
      const stands = ledger.add({ issue, unit, value: said(shown, unit), at: "", past })
      into.add(stands)
      this.#learn(stands, false)
    }
  }

  #differing(known: Known) {
    const common = new Set([...known.min].filter(edit => this.working.has(edit)))
    return without(new Set([...known.max, ...this.seen]), common)
  }

  #doubled() {
    const lines = linesOf(this.clone.file)
    return (
      lines.some(line => !/^[<=>|]{7}/.test(line)) && new Set(lines.map(line => line.slice(0, 20))).size < lines.length
    )
  }

  /** A person resolves the conflict in the issue file; what was kept. */
  async #resolve(random: Random): Promise<"both" | "ours" | "theirs"> {
    const how = random.pick(["both", "both", "both", "bd merge", "bd merge", "ours", "theirs"] as const)
    this.#note(`  conflict, resolved by ${how}`)
    count(`conflicts by ${how}`)
    const { clone } = this
    if (how === "ours" || how === "theirs") await clone.git("checkout", `--${how}`, "--", ".beads/issues.jsonl")
    else if (how === "both") {
      const text = readFileSync(clone.file, "utf8")
      writeFileSync(clone.file, text.replace(beforeBase, "").replace(markers, ""))
    } else {
      for (const stage of [1, 2, 3]) {
        const shown = await clone.tryGit("show", `:${stage}:.beads/issues.jsonl`)
        writeFileSync(join(clone.directory, `.git/side${stage}`), shown.stdout)
      }
      const side = (stage: number) => join(clone.directory, `.git/side${stage}`)
      await clone.bd("merge", clone.file, side(1), side(2), side(3))
    }
    // bd may look before git is told, or not
    if (random.below(2) === 0) await this.flush("bd")
    await clone.git("add", "--all")
    return how === "ours" || how === "theirs" ? how : "both"
  }

  async merge(random: Random, commit: string, allowSides = true) {
    const head = await this.commit(random.below(5) > 0)
    const theirs = this.knownAt(commit)
    const side = allowSides ? random.below(14) : 2
    this.#note(`merge ${commit.slice(0, 7)}${side < 2 ? (side === 0 ? ", ours" : ", theirs") : ""}`)
    const before = new Set(this.working)
    const isIn = async (one: string, other: string) =>
      one === other || (await this.clone.tryGit("merge-base", "--is-ancestor", one, other)).exitCode === 0
    if (await isIn(commit, head)) return
    count((await isIn(head, commit)) ? "fast-forwards" : "merges")
    let kept: "both" | "ours" | "theirs" = "both"
    if (side < 2) {
      await this.clone.git("merge", "--quiet", "--no-edit", "--no-commit", "--no-ff", "--strategy=ours", commit)
      if (side === 1) await this.clone.git("checkout", commit, "--", ".beads/issues.jsonl")
      await this.clone.git("commit", "--quiet", "--no-edit")
      kept = side === 0 ? "ours" : "theirs"
      count(`merges by ${kept}`)
    } else {
      const merged = await this.clone.tryGit("merge", "--quiet", "--no-edit", commit)
      if (merged.exitCode !== 0) {
        if (!/CONFLICT/.test(merged.stdout)) throw new Error(`merge: ${merged.stdout}${merged.stderr}`)
        kept = await this.#resolve(random)
        await this.clone.git("commit", "--quiet", "--no-edit")
      } else if (this.#doubled()) count("merges that left both lines")
    }
    add(this.seen, theirs.max)
    if (kept === "both") this.#take(theirs)
    if (kept === "theirs") this.#at(theirs)
    this.#record()
    if (kept === "ours") await this.#drop(without(theirs.max, before), this.world.ledger.dropped)
    if (kept === "theirs") await this.#drop(without(this.seen, theirs.min), this.world.ledger.dropped)
    if (random.below(2) === 0) await this.flush(random.below(4) === 0 ? "bd" : "embedded")
  }

  async #replay(random: Random, command: "rebase" | "cherry-pick", commit: string) {
    const { clone, world } = this
    const differing = this.#differing(this.knownAt(commit))
    let ran = await clone.tryGit(command, commit)
    let sides = false
    let both = false
    for (let n = 0; ran.exitCode !== 0; n++) {
      if (n > 40) throw new Error(`${command} does not end: ${ran.stdout}${ran.stderr}`)
      if ((await clone.git("ls-files", "--unmerged")) !== "") {
        const kept = await this.#resolve(random)
        sides ||= kept !== "both"
        both ||= kept === "both"
        ran = await clone.tryGit("-c", "core.editor=true", command, "--continue")
      } else if (/empty|No changes|nothing to commit/i.test(ran.stdout + ran.stderr)) {
        ran = await clone.tryGit(command, "--skip")
      } else throw new Error(`${command}: ${ran.stdout}${ran.stderr}`)
    }
    count(command === "rebase" ? "rebases" : "cherry-picks")
    return { differing, sides, inexact: both || world.mode === "union" }
  }

  async #replayed({ differing, inexact, sides }: { differing: Iterable<Edit>; inexact: boolean; sides: boolean }) {
    const { ledger } = this.world
    this.#record()
    if (sides) await this.#drop(differing, ledger.dropped)
    // no commit tells where two lines come from then (ARCHITECTURE.md, "The merge"): what the store remembers decides
    else if (inexact) await this.#drop(differing, ledger.inexact)
  }

  /**
   * Commits of which there are two now: no merge of the two sees that one edit was made after another of them. Then the
   * later line wins, as ever where both sides changed a field.
   */
  #noteCopied(edits: Iterable<Edit>) {
    for (const { issue } of edits) this.world.ledger.copied.add(issue)
  }

  /** Whether another branch, or somebody who took it, has a commit that is about to be written anew. */
  async #isHeld(commit: string): Promise<boolean> {
    const branches = await this.clone.git("branch", "--format=%(refname:short)", "--contains", commit)
    if (branches.trim().split("\n").length > 1) return true
    for (const given of this.world.given) {
      if ((await this.clone.tryGit("merge-base", "--is-ancestor", commit, given)).exitCode === 0) return true
    }
    return false
  }

  async rebase(random: Random, onto: string) {
    const head = await this.commit(true)
    // a rebase drops merge commits, and with them what was decided in them
    if ((await this.clone.git("rev-list", "--merges", "--count", `${onto}..${head}`)).trim() !== "0") return
    if ((await this.clone.git("merge-base", onto, head)).trim() === onto) return
    this.#note(`rebase onto ${onto.slice(0, 7)}`)
    const before = this.knownAt(onto)
    const [first = ""] = (await this.clone.git("rev-list", "--reverse", `${onto}..${head}`)).split("\n")
    if (first !== "" && (await this.#isHeld(first))) this.#noteCopied(without(this.working, before.min))
    const replayed = await this.#replay(random, "rebase", onto)
    this.#take(this.knownAt(onto))
    await this.#replayed(replayed)
  }

  async cherryPick(random: Random) {
    const head = await this.commit(true)
    const commits = [...this.world.commits.keys()]
    const commit = random.pick(commits)
    const parents = (await this.clone.tryGit("rev-list", "--parents", "-n1", commit)).stdout.trim().split(" ")
    const before = this.world.commits.get(parents[1] ?? "")
    if (parents.length !== 2 || before === undefined || commit === head) return
    this.#note(`cherry-pick ${commit.slice(0, 7)}`)
    const known = this.knownAt(commit)
    this.#noteCopied(without(known.max, before.min))
    const replayed = await this.#replay(random, "cherry-pick", commit)
    add(this.working, without(known.min, before.max))
    add(this.seen, known.max)
    await this.#replayed(replayed)
  }

  async stash() {
    if (!this.isDirty()) return
    this.#note("stash")
    await this.clone.git("stash", "push", "--quiet")
    count("stashes")
    this.stashes.unshift({ min: new Set(without(this.working, this.pending)), max: new Set(this.seen) })
    this.#at(this.knownAt(this.#head()))
  }

  async popStash(random: Random, mayDrop: boolean) {
    const [stash] = this.stashes
    if (stash === undefined) return
    const head = await this.commit(true)
    if (mayDrop && random.below(8) === 0) {
      this.#note("stash drop")
      await this.clone.git("stash", "drop", "--quiet")
      this.stashes.shift()
      count("dropped stashes")
      return await this.#drop(without(stash.max, this.knownAt(head).min), this.world.ledger.dropped)
    }
    this.#note("stash pop")
    const differing = this.#differing(stash)
    const popped = await this.clone.tryGit("stash", "pop", "--quiet")
    let kept: "both" | "ours" | "theirs" = "both"
    if (popped.exitCode !== 0) {
      if (!/CONFLICT/.test(popped.stdout)) throw new Error(`stash pop: ${popped.stdout}${popped.stderr}`)
      kept = await this.#resolve(random)
      await this.clone.git("stash", "drop", "--quiet")
    }
    this.stashes.shift()
    this.#take(stash)
    const inexact = this.world.mode === "union" || popped.exitCode !== 0
    if (kept !== "both") await this.#drop(differing, this.world.ledger.dropped)
    else if (inexact) await this.#drop(differing, this.world.ledger.inexact)
  }

  async reset(random: Random) {
    const commits = (await this.clone.git("rev-list", "--max-count=6", "origin/main")).trim().split("\n")
    const target = random.pick(commits.filter(commit => this.world.commits.has(commit)))
    this.#note(`reset --hard ${target.slice(0, 7)}`)
    for (const edit of without(this.seen, this.world.pushed)) this.world.ledger.dropped.add(edit)
    await this.clone.git("reset", "--quiet", "--hard", target)
    count("resets")
    this.#at(this.knownAt(target))
  }

  async checkout(random: Random) {
    await this.commit(random.below(4) > 0)
    if (random.below(2) === 0 || this.branches.length === 1) {
      const older = (await this.clone.git("rev-list", "--max-count=8", "HEAD"))
        .trim()
        .split("\n")
        .filter(commit => this.world.commits.has(commit))
      const name = `b${this.branches.length}`
      const at = random.pick(older)
      this.#note(`branch ${name} at ${at.slice(0, 7)}`)
      await this.clone.git("checkout", "--quiet", "-b", name, at)
      this.branches.push(name)
    } else {
      const name = random.pick(this.branches)
      this.#note(`checkout ${name}`)
      await this.clone.git("checkout", "--quiet", name)
    }
    count("checkouts")
    this.#at(this.knownAt(this.#head()))
    if (random.below(2) === 0) await this.clone.bd("list")
  }

  async mergeBranch(random: Random, allowSides = true) {
    const name = random.pick(this.branches)
    const commit = this.#commitOf(`refs/heads/${name}`)
    await this.merge(random, commit, allowSides)
  }

  async fetch() {
    await this.clone.git("fetch", "--quiet")
    return this.#commitOf("refs/remotes/origin/main")
  }

  async push() {
    await this.commit(true)
    const pushed = await this.clone.tryGit("push", "--quiet", "origin", "HEAD:main")
    if (pushed.exitCode !== 0) return count("pushes refused")
    this.#note("push")
    count("pushes")
    add(this.world.pushed, this.knownAt(this.#head()).min)
  }

  async loseStore() {
    await this.flush()
    await this.close()
    this.#note("loses its store")
    for (const end of ["", "-wal", "-shm"]) rmSync(join(this.clone.directory, `.beads/beads.db${end}`), { force: true })
    count("stores deleted")
  }

  /** All its stashes and branches into `main`. */
  async gather(random: Random) {
    while (this.stashes.length > 0) await this.popStash(random, false)
    await this.commit(true)
    await this.clone.git("checkout", "--quiet", "main")
    this.#at(this.knownAt(this.#head()))
    for (const name of this.branches) {
      await this.merge(random, this.#commitOf(`refs/heads/${name}`), false)
    }
  }
}
