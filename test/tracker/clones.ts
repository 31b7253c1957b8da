/**
 * A model of clones over the real parts: each is a whole workspace in memory (`Testing.layer`), driven through its
 * `Tracker`; git is a history of commits. Clones create, edit, delete, rename and meet by chance, lose their stores, look
 * at older commits; then they exchange until nothing changes. What the end must show is kept beside, by who knew what.
 *
 * An issue is known by its `external_ref`, which nothing here changes, so that it can be found under whatever id.
 */

import { Context, Effect, Exit, Layer, Option, Scope, TestClock } from "effect"
import { TestFile, layer as testing } from "../../src/testing/Testing.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"
import { type Commit, drive, type Edit, type File, history, mergeBases, unite, virtualBase } from "../domain/commits.ts"
import { type Random, randomOf } from "../random.ts"

/** `driver`: three-way, by issue. `union`: both lines. `side`: the whole file of one. `import`: `bd import`, no git. */
export type Way = "driver" | "union" | "side" | "import"

export interface Setting {
  readonly clones: number
  readonly ways: ReadonlyArray<Way>
  /** What else may happen. */
  readonly with: ReadonlyArray<"rename" | "lose" | "visit" | "twin">
  /** At least so many steps and less than twice as many, default 12. */
  readonly steps?: number
  /** Edits in one and the same millisecond; else they lie two seconds apart. */
  readonly ties?: boolean
}

export interface Shown {
  readonly id: string
  readonly title: string
  readonly status: string
  readonly external_ref?: string
  readonly updated_at: string
  readonly labels?: ReadonlyArray<string>
  readonly comments?: ReadonlyArray<{ readonly text: string }>
  readonly dependencies?: ReadonlyArray<{ readonly depends_on_id: string }>
  readonly renamed_to?: string
  readonly [key: string]: unknown
}

const split = (text: string): File => text.split("\n").filter(line => line !== "")
const join = (file: File): string => file.map(line => `${line}\n`).join("")
const parse = (file: File): ReadonlyArray<Shown> => file.map(line => JSON.parse(line))
const isDead = ({ status }: Shown) => status === "tombstone"

interface World {
  readonly random: Random
  readonly setting: Setting
  readonly edits: Array<Edit>
  readonly log: Array<string>
  /** Whether the work of one side was thrown away on purpose. */
  sideTaken: boolean
  /** Which issues were created under which id, and those that are not alone there. */
  readonly created: Map<string, Array<string>>
  readonly twins: Set<string>
  number: number
}

const start = (actor: string) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(testing({ actor, prefix: "p" }), scope)
    return { scope, tracker: Context.get(context, Tracker), file: Context.get(context, TestFile) }
  })

export class Clone {
  head: Commit = { parents: [], file: [], known: new Set() }
  known = new Set<Edit>()
  readonly name: string
  readonly world: World
  workspace: Effect.Effect.Success<ReturnType<typeof start>>

  constructor(world: World, name: string, workspace: Effect.Effect.Success<ReturnType<typeof start>>) {
    this.world = world
    this.name = name
    this.workspace = workspace
  }

  get tracker() {
    return this.workspace.tracker
  }

  readonly file = Effect.suspend(() =>
    Effect.map(this.workspace.file.text, text => split(Option.getOrElse(text, () => "")))
  )

  readonly issues = Effect.suspend(() => Effect.map(this.file, parse))

  write(file: File) {
    return this.workspace.file.write(join(file))
  }

  readonly flush = Effect.suspend(() => this.tracker.flushNow())

  readonly commit = Effect.gen(this, function* () {
    yield* this.flush
    const file = yield* this.file
    if (join(file) === join(this.head.file)) return
    this.head = { parents: [this.head], file, known: new Set(this.known) }
  })

  /** `beads.db` deleted; everything was published before. */
  readonly loseStore = Effect.gen(this, function* () {
    yield* this.flush
    const file = yield* this.file
    yield* Scope.close(this.workspace.scope, Exit.void)
    this.workspace = yield* start(this.name)
    yield* this.write(file)
  })

  tell(ref: string, unit: string, value: string, at: string) {
    const edit = { id: ref, unit, value, at, past: new Set(this.known) }
    this.world.edits.push(edit)
    this.known.add(edit)
  }

  /** Takes in another clone's commit. */
  meet(other: Clone, way: Way) {
    return Effect.gen(this, function* () {
      yield* this.commit
      const [ours, theirs] = [this.head, other.head]
      if (history(ours).has(theirs)) return
      const known = new Set([...this.known, ...theirs.known])
      if (way === "import") {
        yield* this.tracker.import(Buffer.from(join(theirs.file)))
        this.known = known
        yield* this.commit
        return
      }
      if (history(theirs).has(ours)) {
        this.head = theirs
        this.known = known
        yield* this.write(theirs.file)
        yield* this.commit
        return
      }
      if (way === "side") {
        this.world.sideTaken = true
        const file = this.world.random.below(2) === 0 ? ours.file : theirs.file
        this.head = { parents: [ours, theirs], file, known }
        yield* this.write(file)
      } else if (way === "driver") {
        const file = drive(virtualBase(ours, theirs)?.file ?? [], ours.file, theirs.file)
        this.head = { parents: [ours, theirs], file, known }
        yield* this.write(file)
      } else {
        const { file } = unite(mergeBases(ours, theirs)[0]?.file ?? [], ours.file, theirs.file, this.world.random)
        yield* this.write(file)
        yield* this.tracker.flushNow({ full: true })
        this.head = { parents: [ours, theirs], file: yield* this.file, known }
      }
      this.known = known
      yield* this.commit
    })
  }

  /** Checks an older commit out, works there or not, comes back, and merges what was done there. */
  readonly visit = Effect.gen(this, function* () {
    yield* this.commit
    const { random } = this.world
    const { head, known } = this
    const older = random.pick([...history(head)])
    this.head = older
    this.known = new Set(older.known)
    yield* this.write(older.file)
    if (random.below(2) === 0) yield* this.tracker.list({})
    if (random.below(2) === 0) yield* act(this)
    const branch = { name: this.name, world: this.world } as Clone
    yield* this.commit
    branch.head = this.head
    this.head = head
    this.known = known
    yield* this.write(head.file)
    yield* this.meet(branch, "driver")
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// What a clone does
// ---------------------------------------------------------------------------------------------------------------------

const labels = ["l0", "l1", "l2"]

const left = () => Effect.void

/** One change by a user or another tool; what cannot be done (an id that is taken, an issue that the store knows dead) is left. */
const act = (clone: Clone) => Effect.catchTags(change(clone), { Conflict: left, CycleFound: left, IssueNotFound: left })

const change = (clone: Clone) =>
  Effect.gen(function* () {
    const { tracker, world } = clone
    const { log, random, setting } = world
    const live = (yield* clone.issues).filter(issue => !isDead(issue) && issue.external_ref !== undefined)
    const dead = (yield* clone.issues).filter(issue => isDead(issue) && issue.renamed_to === undefined)
    const text = `t${++world.number}`
    const create = (input: { readonly id?: string; readonly parent?: string }) =>
      Effect.gen(function* () {
        const { id, updated_at } = yield* tracker.create({ title: text, external_ref: text, ...input })
        log.push(`${clone.name} create ${id} ${text}`)
        const same = [...(world.created.get(id) ?? []), text]
        world.created.set(id, same)
        if (same.length > 1) for (const twin of same) world.twins.add(twin)
        clone.tell(text, "created", text, updated_at)
      })
    if (live.length === 0 || random.below(8) === 0) return yield* create({})
    const { id, external_ref: ref = "" } = random.pick(live)
    const other = random.pick(live)
    const label = random.pick(labels)
    const edit = (what: string) => log.push(`${clone.name} ${what} ${id} ${ref}`)
    switch (random.below(16)) {
      case 0:
        return yield* create({ parent: id })
      case 1:
        if (setting.with.includes("twin")) yield* create({ id: `p-twin${random.below(2)}` })
        return
      case 2:
      case 3: {
        edit(`title ${text}`)
        const { updated_at } = yield* tracker.update(id, { title: text })
        return clone.tell(ref, "title", text, updated_at)
      }
      case 4: {
        const priority = random.below(5)
        edit(`priority ${priority}`)
        const { updated_at } = yield* tracker.update(id, { priority, notes: text })
        return clone.tell(ref, "notes", text, updated_at)
      }
      case 5: {
        edit("status")
        const { status, updated_at } = yield* random.below(2) === 0
          ? tracker.close(id, { reason: text })
          : tracker.update(id, { status: "in_progress" })
        return clone.tell(ref, "status", status, updated_at)
      }
      case 6:
      case 7: {
        const has = live.find(issue => issue.id === id)?.labels?.includes(label) === true
        edit(`${has ? "un" : ""}label ${label}`)
        const { updated_at } = yield* has ? tracker.removeLabel(id, label) : tracker.addLabel(id, label)
        return clone.tell(ref, `labels:${label}`, String(!has), updated_at)
      }
      case 8:
      case 9: {
        edit(`comment ${text}`)
        const { created_at } = yield* tracker.addComment(id, text)
        return clone.tell(ref, `comments:${text}`, "true", created_at)
      }
      case 10:
        if (other.id !== id) {
          edit(`needs ${other.id}`)
          yield* tracker.addDependency(id, other.id, "related")
        }
        return
      case 11: {
        edit("delete")
        yield* tracker.delete([id])
        const [gone] = (yield* tracker.history({ id, limit: 1 })) ?? []
        return clone.tell(ref, "life", "deleted", gone?.at ?? "")
      }
      case 12: {
        const back = dead[random.below(dead.length || 1)]
        if (back?.external_ref === undefined) return
        log.push(`${clone.name} undelete ${back.id} ${back.external_ref}`)
        const { updated_at } = yield* tracker.undelete(back.id)
        return clone.tell(back.external_ref, "life", "lives", updated_at)
      }
      case 13: {
        if (!setting.with.includes("rename")) return
        const [from, to] = random.below(3) === 0 ? (["q", "p"] as const) : (["p", "q"] as const)
        log.push(`${clone.name} rename ${from} to ${to}`)
        yield* tracker.renamePrefix(to, { from })
        return
      }
      default: {
        // another tool: a field that this version does not know, and a stamp of its own
        yield* clone.flush
        const file = yield* clone.file
        // what was deleted or renamed and not yet published
        if (parse(file).some(issue => issue.id === id && isDead(issue))) return
        edit(`foreign ${text}`)
        const at = new Date((yield* TestClock.currentTimeMillis) + 1).toISOString()
        yield* clone.write(
          file.map(line => {
            const issue: Shown = JSON.parse(line)
            return issue.id === id ? JSON.stringify({ ...issue, "x-other": { n: text }, updated_at: at }) : line
          })
        )
        return clone.tell(ref, "x-other", text, at)
      }
    }
  })

// ---------------------------------------------------------------------------------------------------------------------
// What the end must show
// ---------------------------------------------------------------------------------------------------------------------

/** What an issue says in one unit, as the edits tell it. */
const said = (issue: Shown, unit: string): string => {
  const [key = "", element = ""] = unit.split(":")
  if (key === "labels") return String(issue.labels?.includes(element) === true)
  if (key === "comments") return String(issue.comments?.some(({ text }) => text === element) === true)
  if (key === "x-other") return String((issue["x-other"] as { readonly n: string } | undefined)?.n)
  return String(issue[key])
}

/** Edits that nobody has overruled, and that the end does not show. */
const lostEdits = ({ edits }: World, end: ReadonlyArray<Shown>): ReadonlyArray<Edit> => {
  const isLast = (edit: Edit) =>
    !edits.some(other => other.id === edit.id && other.unit === edit.unit && other.past.has(edit))
  const last = edits.filter(isLast)
  const dead = new Set(edits.flatMap(({ id, unit }) => (unit === "life" ? [id] : [])))
  return last.filter(edit => {
    if (edit.unit === "life" || edit.unit === "created" || (edit.unit === "status" && dead.has(edit.id))) return false
    const rivals = last.filter(({ id, unit }) => id === edit.id && unit === edit.unit)
    const own = end.filter(issue => issue.external_ref === edit.id && issue.renamed_to === undefined)
    return !own.some(issue => rivals.some(({ unit, value }) => said(issue, unit) === value))
  })
}

/** Issues that are gone, doubled, revived or deleted by nobody. */
const problemsOf = ({ edits, sideTaken, twins }: World, end: ReadonlyArray<Shown>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const ids = new Set(end.map(({ id }) => id))
  if (ids.size !== end.length) problems.push("an id stands twice")
  for (const ref of new Set(edits.map(({ id }) => id))) {
    // who takes the side that has another issue under this id has thrown this one away
    if (sideTaken && twins.has(ref)) continue
    const mine = edits.filter(edit => edit.id === ref)
    const own = end.filter(issue => issue.external_ref === ref && issue.renamed_to === undefined)
    const alive = own.filter(issue => !isDead(issue))
    if (!end.some(issue => issue.external_ref === ref)) problems.push(`${ref} is lost`)
    if (alive.length > 1) problems.push(`${ref} lives twice: ${alive.map(({ id }) => id).join(", ")}`)
    const life = (value: string) =>
      mine
        .flatMap(edit => (edit.unit === "life" && edit.value === value ? [edit.at] : []))
        .sort()
        .at(-1) ?? ""
    const isDeleted = life("deleted") > life("lives")
    // of a deletion and an undeletion at one time either may win
    if (life("deleted") !== life("lives") || life("deleted") === "") {
      if (isDeleted && alive.length > 0) problems.push(`${ref} is back from the dead`)
      if (!isDeleted && alive.length === 0) problems.push(`${ref} was deleted by nobody`)
    }
  }
  return problems
}

// ---------------------------------------------------------------------------------------------------------------------
// Histories
// ---------------------------------------------------------------------------------------------------------------------

export interface Outcome {
  readonly problems: ReadonlyArray<string>
  readonly log: ReadonlyArray<string>
  /** Whether all files were equal when nothing changed any more. */
  readonly converged: boolean
  readonly edits: number
  readonly lost: ReadonlyArray<Edit>
  readonly end: string
}

const everyone = ["ann", "bob", "cid"]

/** Clones without a common history yet. */
export const make = (setting: Setting, seed: number) =>
  Effect.gen(function* () {
    const world: World = {
      random: randomOf(seed),
      setting,
      edits: [],
      log: [],
      sideTaken: false,
      created: new Map(),
      twins: new Set(),
      number: 0
    }
    const clones: Array<Clone> = []
    yield* Effect.addFinalizer(() => Effect.forEach(clones, ({ workspace }) => Scope.close(workspace.scope, Exit.void)))
    for (const name of everyone.slice(0, setting.clones)) clones.push(new Clone(world, name, yield* start(name)))
    return { clones, world }
  })

/** Everyone meets everyone until nothing changes any more; whether all files are equal then. */
export const exchange = Effect.fnUntraced(function* (clones: ReadonlyArray<Clone>, way: () => Way) {
  const files = Effect.forEach(clones, clone => Effect.map(clone.file, join))
  for (let round = 0; round < 8; round++) {
    for (const clone of clones) yield* clone.commit
    const before = yield* files
    for (const clone of clones) {
      for (const other of clones) {
        yield* other.commit
        if (other !== clone) yield* clone.meet(other, way())
      }
    }
    const after = yield* files
    if (after.every((file, i) => file === before[i])) return new Set(after).size === 1
  }
  return false
})

/** One history, by a seed. */
export const run = (setting: Setting, seed: number): Effect.Effect<Outcome, unknown> =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1_780_000_000_000)
    const { clones, world } = yield* make(setting, seed)
    const { random } = world
    const steps = (setting.steps ?? 12) + random.below(setting.steps ?? 12)
    for (let step = 0; step < steps; step++) {
      yield* TestClock.adjust(setting.ties === true ? random.pick(["0 millis", "0 millis", "2 seconds"]) : "2 seconds")
      const clone = random.pick(clones)
      const other = random.pick(clones)
      const what = random.below(14)
      if (what < 10) {
        yield* act(clone)
        if (random.below(4) > 0) yield* clone.flush
      } else if (what < 13) {
        yield* other.commit
        const way = random.pick(setting.ways)
        world.log.push(`${clone.name} meets ${other.name} by ${way}`)
        yield* clone.meet(other, way)
      } else if (random.below(2) === 0 && setting.with.includes("lose")) {
        world.log.push(`${clone.name} loses its store`)
        yield* clone.loseStore
      } else if (setting.with.includes("visit")) {
        world.log.push(`${clone.name} visits`)
        yield* clone.visit
      }
    }
    yield* TestClock.adjust("2 seconds")
    const problems: Array<string> = []
    const converged = yield* exchange(clones, () => random.pick(setting.ways))
    const end = join(yield* (clones[0] as Clone).file)
    for (const clone of clones) {
      const exported = Buffer.from(yield* clone.tracker.export()).toString()
      if (exported !== join(yield* clone.file)) problems.push(`${clone.name}: file and store differ`)
    }
    const fresh = yield* start("fresh")
    yield* fresh.file.write(end)
    if (Buffer.from(yield* fresh.tracker.export()).toString() !== end) problems.push("a fresh store differs")
    yield* Scope.close(fresh.scope, Exit.void)
    const shown = parse(split(end))
    problems.push(...problemsOf(world, shown))
    const lost = world.sideTaken ? [] : lostEdits(world, shown)
    return { problems, converged, log: world.log, edits: world.edits.length, lost, end }
  }).pipe(Effect.scoped)
