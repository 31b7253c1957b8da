/**
 * What people do with git in a clone, at random: commit, branch, merge, rebase, cherry-pick, stash, reset, and how they
 * resolve conflicts; and what the clone knows afterwards.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { linesOf, type Shown } from "../system/git.ts"
import type { Random } from "./budget.ts"
import { add, count, type Known, Worker, without } from "./cloneWork.ts"
import { type Edit, expectMerged, refOf, said } from "./knowledge.ts"

const markers = /^(<<<<<<<|=======|>>>>>>>).*\n/gm
const beforeBase = /^\|{7}[^=]*?(?=^={7})/gm

/** A clone with its history. */
export class Member extends Worker {
  readonly stashes: Array<Known> = []
  readonly branches: Array<string> = ["main"]

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

  /** What has no line: the store brings it back with its next publish, if it knows it (G19). */
  #noteMissing() {
    const shown = new Set(this.issues().map(refOf))
    for (const edit of this.working) {
      if (shown.has(edit.issue)) continue
      if (this.held.has(edit)) this.pending.add(edit)
      else if (!this.pending.has(edit)) this.working.delete(edit)
    }
  }

  #record() {
    const head = this.#head()
    this.#noteMissing()
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
    for (const edit of this.world.first) this.learn(edit, false)
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
      this.learn(stands, false)
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
    const wished = random.pick(["both", "both", "both", "bd merge", "bd merge", "ours", "theirs"] as const)
    const { clone } = this
    const stage = async (n: number) => (await clone.tryGit("show", `:${n}:.beads/issues.jsonl`)).stdout
    // of several ancestors git makes one, with conflicts of its own
    const how = wished === "bd merge" && /^<{7}/m.test(await stage(1)) ? "both" : wished
    this.note(`  conflict, resolved by ${how}`)
    count(`conflicts by ${how}`)
    if (how === "ours" || how === "theirs") await clone.git("checkout", `--${how}`, "--", ".beads/issues.jsonl")
    else if (how === "both") {
      const text = readFileSync(clone.file, "utf8")
      writeFileSync(clone.file, text.replace(beforeBase, "").replace(markers, ""))
    } else {
      const side = (n: number) => join(clone.directory, `.git/side${n}`)
      for (const n of [1, 2, 3]) writeFileSync(side(n), await stage(n))
      await clone.bd("merge", clone.file, side(1), side(2), side(3))
      expectMerged(
        [1, 2, 3].map(n => linesOf(side(n))),
        linesOf(clone.file),
        this.world.renamed
      )
    }
    // bd may look before git is told, or not
    if (random.below(2) === 0) await this.flush("bd")
    await clone.git("add", "--all")
    return how === "ours" || how === "theirs" ? how : "both"
  }

  /** If the driver has merged the two: whether it has as it must. */
  async #expectDriven(head: string, commit: string) {
    const { mode, renamed, texts } = this.world
    const [base = "", ...more] = (await this.clone.git("merge-base", "--all", head, commit)).trim().split("\n")
    const three = [base, head, commit].map(each => texts.get(each) ?? "")
    // where one side left the file as it was, git asks nobody
    if (mode !== "driver" || more.length > 0 || new Set(three).size < 3) return
    expectMerged(
      three.map(text => text.split("\n").slice(0, -1)),
      linesOf(this.clone.file),
      renamed
    )
    count("merges by the driver looked at")
  }

  async merge(random: Random, commit: string, allowSides = true, flushed = random.below(5) > 0) {
    const head = await this.commit(flushed)
    const theirs = this.knownAt(commit)
    const side = allowSides ? random.below(14) : 2
    this.note(`merge ${commit.slice(0, 7)}${side < 2 ? (side === 0 ? ", ours" : ", theirs") : ""}`)
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
      } else {
        if (this.#doubled()) count("merges that left both lines")
        await this.#expectDriven(head, commit)
      }
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
    this.note(`rebase onto ${onto.slice(0, 7)}`)
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
    this.note(`cherry-pick ${commit.slice(0, 7)}`)
    const known = this.knownAt(commit)
    this.#noteCopied(without(known.max, before.min))
    const replayed = await this.#replay(random, "cherry-pick", commit)
    add(this.working, without(known.min, before.max))
    add(this.seen, known.max)
    await this.#replayed(replayed)
  }

  async stash() {
    if (!this.isDirty()) return
    this.note("stash")
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
      this.note("stash drop")
      await this.clone.git("stash", "drop", "--quiet")
      this.stashes.shift()
      count("dropped stashes")
      return await this.#drop(without(stash.max, this.knownAt(head).min), this.world.ledger.dropped)
    }
    this.note("stash pop")
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
    this.note(`reset --hard ${target.slice(0, 7)}`)
    for (const edit of without(this.seen, this.world.pushed)) this.world.ledger.dropped.add(edit)
    await this.clone.git("reset", "--quiet", "--hard", target)
    count("resets")
    this.#at(this.knownAt(target))
    await this.expectDead()
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
      this.note(`branch ${name} at ${at.slice(0, 7)}`)
      await this.clone.git("checkout", "--quiet", "-b", name, at)
      this.branches.push(name)
    } else {
      const name = random.pick(this.branches)
      this.note(`checkout ${name}`)
      await this.clone.git("checkout", "--quiet", name)
    }
    count("checkouts")
    this.#at(this.knownAt(this.#head()))
    if (random.below(2) === 0) await this.clone.bd("list")
    await this.expectDead()
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
    this.note("push")
    count("pushes")
    add(this.world.pushed, this.knownAt(this.#head()).min)
  }

  /** Takes a commit of another clone, without the hub. */
  async take(random: Random, other: Member, commit: string, flushed?: boolean) {
    this.world.given.push(commit)
    await this.clone.git("fetch", "--quiet", other.clone.directory, commit)
    await this.merge(random, commit, false, flushed)
  }

  /** Both have what both know. */
  async meet(random: Random, other: Member) {
    await this.take(random, other, await other.commit(true))
    await other.take(random, this, await this.commit(true))
  }

  /** By hand, behind the back of the store: what the line of an issue is from now on. Committed so. */
  async writeLine(ref: string, line: string | undefined) {
    const others = linesOf(this.clone.file).filter(each => refOf(JSON.parse(each) as Shown) !== ref)
    const all = line === undefined ? others : [...others, line].sort()
    writeFileSync(this.clone.file, all.map(each => `${each}\n`).join(""))
    // no merge knows all edits of it in their order now
    this.world.ledger.copied.add(ref)
    for (const edit of this.working) if (edit.issue === ref) this.pending.add(edit)
    return await this.commit(false)
  }

  /** A line is left out, as in a careless resolution: no deletion (G19). */
  async loseLine(random: Random) {
    await this.commit(true)
    const issue = random.pick(this.issues())
    this.note(`the line of ${issue.id} is left out`)
    await this.writeLine(refOf(issue), undefined)
    count("lines left out")
  }

  async branchAt(commit: string) {
    await this.commit(true)
    const name = `b${this.branches.length}`
    this.note(`branch ${name} at ${commit.slice(0, 7)}`)
    await this.clone.git("checkout", "--quiet", "-b", name, commit)
    this.branches.push(name)
    count("checkouts")
    this.#at(this.knownAt(commit))
    await this.expectDead()
  }

  async loseStore() {
    await this.flush()
    await this.close()
    this.held = new Set()
    this.note("loses its store")
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
