/**
 * A clone in which changes are made: by `bd` as a process, and by the tracker embedded in this one, on the same clone by
 * turns. What is changed, and what its maker knew, goes into the ledger (knowledge.ts).
 */
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
export interface Known {
  readonly min: ReadonlySet<Edit>
  readonly max: ReadonlySet<Edit>
}

export type Edits = Set<Edit>

export const counts: Record<string, number> = {}
export const count = (what: string) => {
  counts[what] = (counts[what] ?? 0) + 1
}

export const without = (edits: ReadonlySet<Edit>, others: ReadonlySet<Edit>) =>
  [...edits].filter(edit => !others.has(edit))
export const add = (to: Edits, edits: Iterable<Edit>) => {
  for (const edit of edits) to.add(edit)
}

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

/** Of each issue that was ever deleted, whether it is, by what is known. */
const lives = (edits: ReadonlySet<Edit>): ReadonlyMap<string, boolean> => {
  const last = new Map<string, Edit>()
  for (const edit of edits) {
    if (edit.unit === "life" && edit.at > (last.get(edit.issue)?.at ?? "")) last.set(edit.issue, edit)
  }
  return new Map([...last].map(([issue, { value }]) => [issue, value === "deleted"]))
}

/** A clone, what is changed in it, and what it knows. */
export class Worker {
  readonly clone: Clone
  readonly world: World
  /** What the files of its work tree show, and what waits in its store to be shown. */
  working: Edits = new Set()
  pending: Edits = new Set()
  /** All that it ever saw: its store may hold it. */
  readonly seen: Edits = new Set()
  /** Of that, what its store was told while it looked. */
  held: Edits = new Set()
  #scope: Scope.CloseableScope | undefined
  #tracker: Tracker.Tracker["Type"] | undefined

  constructor(world: World, clone: Clone) {
    this.world = world
    this.clone = clone
  }

  note(what: string) {
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
        Tracker.make({ actor: this.clone.name, fallbackPrefix: () => "x" }).pipe(Effect.provide(services))
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
    add(this.held, this.working)
  }

  /** Whatever was checked out: an issue that the store knows to be deleted is not shown (G23). */
  async expectDead() {
    const shown = new Map<string, Array<string>>()
    for (const line of (await this.exported()).split("\n").slice(0, -1)) {
      const issue = JSON.parse(line) as Shown
      if (issue["renamed_to"] === undefined) shown.set(refOf(issue), [...(shown.get(refOf(issue)) ?? []), issue.status])
    }
    // what was checked out may hold a later undeletion
    for (const [ref, isDeleted] of lives(new Set([...this.held, ...this.working]))) {
      const found = shown.get(ref)?.join() ?? "not there"
      if (isDeleted && !/^tombstone(,tombstone)*$/.test(found))
        throw new Error(`${this.clone.name}: ${ref} is back: ${found}`)
      count("deletions looked for after a checkout or reset")
    }
    add(this.held, this.working)
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

  learn(edit: Edit, isPending: boolean) {
    this.working.add(edit)
    this.seen.add(edit)
    if (isPending) this.pending.add(edit)
  }

  #tell(issue: string, units: Readonly<Record<string, string>>, isPending: boolean, at = "") {
    const past = new Set(this.working)
    for (const [unit, value] of Object.entries(units)) {
      this.learn(this.world.ledger.add({ issue, unit, value, at, past }), isPending)
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
    this.note(`${byProcess ? "bd" : "embedded:"} ${words.join(" ")}`)
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
    add(this.held, this.working)
    if (!byProcess && random.below(5) > 0) await this.flush()
  }

  async title(random: Random, { id }: Shown) {
    const text = this.world.next()
    await this.#change(random, ["update", id, "--title", text], tracker => tracker.update(id, { title: text }), [
      "title"
    ])
  }

  /** A child; two clones may give theirs one id. */
  async createChild(random: Random, { id }: Shown): Promise<string> {
    const { world } = this
    const text = world.next()
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
    return text
  }

  async delete(issue: Shown) {
    this.note(`embedded: delete ${issue.id}`)
    const made = await this.#run(tracker => tracker.delete([issue.id]))
    return Either.isLeft(made) ? count("edits of what is gone") : await this.#lifeOf(issue, "deleted")
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
    switch (random.below(18)) {
      case 0:
        return void (await this.createChild(random, issue))
      case 1:
      case 2:
        return await this.title(random, issue)
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
        this.note(`embedded: comment on ${id}: ${text}`)
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
        this.note(`embedded: ${id} needs ${on}`)
        const made = await this.#run(tracker => tracker.addDependency(id, on, "related"))
        if (Either.isLeft(made)) return count("edits of what is gone")
        this.#tell(refOf(issue), { [`needs:${on}`]: "true" }, true)
        count("edits")
        return await this.flush()
      }
      case 14:
      case 15:
        return await this.delete(issue)
      case 16: {
        const back = dead[random.below(dead.length || 1)]
        if (back === undefined) return
        this.note(`embedded: undelete ${back.id}`)
        const made = await this.#run(tracker => tracker.undelete(back.id))
        return Either.isLeft(made) ? count("edits of what is gone") : await this.#lifeOf(back, "lives")
      }
      default: {
        if (random.below(4) > 0) return await update(["--acceptance", text], { acceptance_criteria: text })
        const to = random.pick(["x", "y", "z"])
        const from = random.pick(["x", "y"])
        if (to === from) return
        world.renamed = true
        this.note(`embedded: rename ${from} to ${to}`)
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
}
