/**
 * A model of clones: histories of commits as git keeps them, stores as bd keeps them, and between them the real
 * functions, `FileMerge.mergeFiles` (the merge driver) and `Reconciliation` (bd after a checkout or a union of lines).
 * Clones edit, delete, undelete, look at older commits and meet, by chance; then they exchange until nothing changes.
 *
 * An edit is lost if the end shows neither it nor an edit of the same value that its author did not know of or that was
 * made on top of it. Where the ancestor is exact none is; elsewhere the rate is measured.
 */

import * as IssueChange from "../../src/domain/IssueChange.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as MergeOrder from "../../src/domain/MergeOrder.ts"
import { storedAncestor } from "../../src/flush/Reconciler.ts"
import * as Reconciliation from "../../src/flush/Reconciliation.ts"
import type { MarkedRow, Version } from "../../src/store/IssueStore.ts"
import { versionHash } from "../../src/store/Version.ts"
import { type Random, randomOf } from "../random.ts"
import {
  byId,
  type Commit,
  drive,
  type Edit,
  type File,
  history,
  mergeBases,
  read,
  unite,
  virtualBase
} from "./commits.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Clones
// ---------------------------------------------------------------------------------------------------------------------

export type Ancestors = "git" | "store" | "none"
export type Way = "driver" | "union" | "hand"

interface World {
  readonly random: Random
  readonly ancestors: Ancestors
  readonly edits: Array<Edit>
  /** Lines of one id that met in a file. */
  met: number
}

class Clone {
  readonly rows = new Map<string, MarkedRow>()
  readonly versions = new Map<string, Map<string, Version>>()
  file: File
  head: Commit
  known: Set<Edit>
  clock: number

  readonly world: World
  readonly name: string

  constructor(world: World, name: string, seed: Commit) {
    this.world = world
    this.name = name
    this.file = seed.file
    this.head = seed
    this.known = new Set(seed.known)
    this.clock = 60_000 + 5_000 * world.random.below(3)
    this.reconcile()
  }

  record(id: string): IssueRecord.IssueRecord | undefined {
    const row = this.rows.get(id)
    return row === undefined ? undefined : read(row.line)
  }

  private remember(id: string, line: string, parents: ReadonlyArray<string>) {
    const of = this.versions.get(id) ?? new Map<string, Version>()
    this.versions.set(id, of)
    const hash = versionHash(line)
    if (!of.has(hash)) of.set(hash, { hash, line, parents: parents.map(versionHash) })
  }

  /** File to store; `base`: the merge base, if git is asked for it. */
  reconcile(base: File = []) {
    const { world } = this
    const lines = this.file.map(text => ({ id: read(text).id, text }))
    const bases = byId(base)
    const plan = Reconciliation.reconcile({
      rows: this.rows,
      lines,
      ancestorOf: (id, texts) => {
        const [only, ...more] = world.ancestors === "git" ? (bases.get(id) ?? []) : []
        if (only !== undefined && more.length === 0) return only
        return world.ancestors === "none"
          ? undefined
          : storedAncestor([...(this.versions.get(id)?.values() ?? [])], texts)
      }
    })
    for (const { record, state } of plan.writes) {
      const revision = this.rows.get(record.id)?.revision ?? 0
      const mark = state._tag === "clean" ? undefined : { revision: revision + 1, base: state.base }
      this.put(record, mark)
    }
    for (const id of plan.missing) this.put(this.record(id), { revision: 1, base: undefined })
    for (const id of plan.settled) this.put(this.record(id), undefined)
    for (const { id, line, parents } of plan.descents) this.remember(id, line, parents)
  }

  private put(record: IssueRecord.IssueRecord | undefined, mark: MarkedRow["mark"]) {
    if (record === undefined) return
    const revision = (this.rows.get(record.id)?.revision ?? 0) + 1
    this.rows.set(record.id, { id: record.id, line: IssueRecord.line(record), revision, mark } as MarkedRow)
  }

  /** Store to file. */
  publish() {
    const lines = new Map([...byId(this.file)])
    for (const [id, row] of this.rows) {
      if (row.mark === undefined) continue
      const { base } = row.mark
      if (base !== undefined) this.remember(id, base, [])
      this.remember(id, row.line, base === undefined || base === row.line ? [] : [base])
      lines.set(id, [row.line])
      this.rows.set(id, { ...row, mark: undefined })
    }
    this.file = [...lines].sort(([a], [b]) => MergeOrder.compareText(a, b)).flatMap(([, texts]) => texts)
  }

  commit() {
    this.publish()
    if (this.file.join("\n") === this.head.file.join("\n")) return
    this.head = { parents: [this.head], file: this.file, known: new Set(this.known) }
  }

  change(id: string, unit: string, edit: IssueChange.Edit) {
    const before = this.record(id)
    const row = this.rows.get(id)
    if (before === undefined || row === undefined) return
    const seen = [...(this.versions.get(id)?.values() ?? [])].flatMap(
      ({ line }) => IssueRecord.text(read(line), "updated_at") ?? []
    )
    const after = IssueChange.apply(before, { at: this.now(), actor: this.name, seen }, edit)
    if (after === before) return
    const base = row.mark === undefined ? row.line : row.mark.base
    this.put(after, { revision: row.revision + 1, base })
    this.tell(id, unit, after)
  }

  now() {
    return new Date(Date.UTC(2026, 0, 1) + this.clock).toISOString()
  }

  create(id: string, title: string) {
    if (this.rows.has(id)) return
    // a second or more apart from every other clone's: less would be one issue
    const at = new Date(Date.UTC(2026, 0, 1) + 2_000 * this.name.charCodeAt(0)).toISOString()
    const created = IssueChange.create({ title } as never, id, { at, actor: this.name })
    this.put(created, { revision: 1, base: undefined })
    this.tell(title, "created", created)
  }

  private tell(id: string, unit: string, after: IssueRecord.IssueRecord) {
    const at = IssueRecord.text(after, "updated_at") ?? ""
    // of a comment: the title of the issue it is on, whose id may come to name another
    const value = unit.startsWith("comments:") ? said(after, "title") : said(after, unit)
    const edit = { id, unit, value, at, past: new Set(this.known) }
    this.world.edits.push(edit)
    this.known.add(edit)
  }

  /** Looks at an older commit with bd, and comes back. */
  visit() {
    this.commit()
    this.file = this.world.random.pick([...history(this.head)]).file
    this.reconcile()
    this.file = this.head.file
    this.reconcile()
  }

  /** Takes in another clone's commit. */
  meet(theirs: Commit, way: Way) {
    const { world } = this
    this.commit()
    const ours = this.head
    if (history(ours).has(theirs)) return
    this.known = new Set([...this.known, ...theirs.known])
    if (history(theirs).has(ours)) {
      this.head = theirs
      this.file = theirs.file
      this.reconcile()
    } else if (way === "driver") {
      this.file = drive(virtualBase(ours, theirs)?.file ?? [], ours.file, theirs.file)
      world.met += this.file.length
      this.head = { parents: [ours, theirs], file: this.file, known: new Set(this.known) }
      this.reconcile()
    } else {
      const base = mergeBases(ours, theirs)[0]?.file ?? []
      const { file, met } = unite(base, ours.file, theirs.file, world.random)
      world.met += met
      this.file = file
      if (way === "union") this.head = { parents: [ours, theirs], file, known: new Set(this.known) }
      this.reconcile(base)
      this.publish()
      if (way === "hand") this.head = { parents: [ours, theirs], file: this.file, known: new Set(this.known) }
    }
    this.commit()
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Edits
// ---------------------------------------------------------------------------------------------------------------------

const statusUnit = ["status", "closed_at", "close_reason"] as const

/** What an issue says in one unit, as text. */
const said = (record: IssueRecord.IssueRecord, unit: string): string => {
  const [key = "", element] = unit.split(":")
  if (key === "life") return IssueRecord.text(record, "status") === "tombstone" ? "deleted" : "lives"
  if (key === "status") return statusUnit.map(one => IssueRecord.get(record, one)).join()
  if (element === undefined) return IssueRecord.get(record, key) ?? ""
  const texts =
    key === "labels" || key === "dependencies" || key === "comments" ? IssueRecord.elements(record, key) : []
  return String(texts.some(text => text.includes(`"${element}"`)))
}

const ids = ["x-1", "x-2", "x-3"]

const seedCommit = (): Commit => ({
  parents: [],
  known: new Set(),
  file: ids.map(
    id =>
      `{"id":"${id}","title":"T","status":"open","priority":2,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","labels":["a","b"],"dependencies":[{"issue_id":"${id}","depends_on_id":"y-1","type":"blocks"}],"later":{"n":1.0}}`
  )
})

const act = (clone: Clone, number: number, isDeleting: boolean) => {
  const { random } = clone.world
  clone.clock += random.pick([0, 0, 1, 1_500])
  const id = random.pick(ids)
  const text = `${clone.name}${number}`
  const isDeleted = IssueRecord.text(clone.record(id) ?? read('{"id":"none"}'), "status") === "tombstone"
  if (isDeleted) {
    if (random.below(3) === 0) clone.change(id, "life", IssueChange.undelete)
    return
  }
  const label = random.pick(["a", "b", "c"])
  const target = random.pick(["y-1", "y-2"])
  const has = (unit: string) => said(clone.record(id) ?? read('{"id":"none"}'), unit) === "true"
  switch (random.below(isDeleting ? 12 : 9)) {
    case 0:
      return clone.change(id, "title", IssueChange.update({ title: text }))
    case 1:
      return clone.change(id, "description", IssueChange.update({ description: text }))
    case 2:
      return clone.change(
        id,
        "status",
        random.pick([IssueChange.close(text), IssueChange.reopen, IssueChange.update({ status: "in_progress" })])
      )
    case 3:
    case 4:
      return clone.change(
        id,
        `labels:${label}`,
        has(`labels:${label}`) ? IssueChange.removeLabel(label) : IssueChange.addLabel(label)
      )
    case 5:
      return clone.change(
        id,
        `dependencies:${target}`,
        has(`dependencies:${target}`)
          ? IssueChange.removeDependency(target)
          : IssueChange.addDependency(target, "blocks")
      )
    case 6:
      return clone.change(id, `comments:${text}`, IssueChange.addComment(text))
    case 7:
    case 8:
      // a comment must stay with the issue it was made on, whichever id that gets
      return clone.record("x-1.1") === undefined
        ? clone.create("x-1.1", text)
        : clone.change("x-1.1", `comments:${text}`, IssueChange.addComment(text))
    default:
      return clone.change(id, "life", IssueChange.remove(text))
  }
}

/** What the end should show and does not. */
const lostEdits = (edits: ReadonlyArray<Edit>, end: ReadonlyArray<IssueRecord.IssueRecord>): ReadonlyArray<Edit> => {
  const isLast = (edit: Edit) =>
    !edits.some(other => other.id === edit.id && other.unit === edit.unit && other.past.has(edit))
  const withDeletions = new Set(edits.filter(({ unit }) => unit === "life").map(({ id }) => id))
  const last = edits.filter(isLast)
  return last.filter(edit => {
    if (edit.unit === "created") return end.filter(issue => said(issue, "title") === `"${edit.id}"`).length !== 1
    if (edit.unit.startsWith("comments:")) {
      const on = end.filter(issue => said(issue, edit.unit) === "true")
      const isRight = ids.includes(edit.id) ? on[0]?.id === edit.id : on[0] && said(on[0], "title") === edit.value
      return on.length !== 1 || isRight !== true
    }
    if (edit.unit === "life" || (edit.unit === "status" && withDeletions.has(edit.id))) return false
    const issue = end.find(({ id }) => id === edit.id)
    if (issue === undefined) return true
    const value = said(issue, edit.unit)
    return !last.some(other => other.id === edit.id && other.unit === edit.unit && other.value === value)
  })
}

/** Issues that live though the latest deletion is later than the latest undeletion, and the other way round (G23). */
const wrongLives = (edits: ReadonlyArray<Edit>, end: ReadonlyArray<IssueRecord.IssueRecord>): ReadonlyArray<string> =>
  ids.filter(id => {
    const lives = edits.filter(edit => edit.id === id && edit.unit === "life")
    const latest = (value: string) =>
      lives
        .filter(edit => edit.value === value)
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? ""
    const expected = latest("deleted") > latest("lives") ? "deleted" : "lives"
    return end.filter(issue => issue.id === id && said(issue, "life") === expected).length !== 1
  })

// ---------------------------------------------------------------------------------------------------------------------
// Histories
// ---------------------------------------------------------------------------------------------------------------------

export interface Setting {
  readonly clones: number
  readonly ways: ReadonlyArray<Way>
  readonly ancestors: Ancestors
  /** Through one shared branch, so that no histories cross; else between any two clones. */
  readonly hub: boolean
  readonly deleting?: boolean
}

export interface Outcome {
  readonly edits: number
  readonly lost: ReadonlyArray<Edit>
  readonly wrong: ReadonlyArray<string>
  readonly met: number
}

/** One history, by a seed; throws if the clones do not end equal. */
export const run = ({ ancestors, clones: count, deleting = true, hub, ways }: Setting, seed: number): Outcome => {
  const random = randomOf(seed)
  const world: World = { random, ancestors, edits: [], met: 0 }
  let shared = seedCommit()
  const clones = ["a", "b", "c"].slice(0, count).map(name => new Clone(world, name, shared))
  const exchange = (clone: Clone) => {
    const way = random.pick(ways)
    if (hub) {
      clone.meet(shared, way)
      shared = clone.head
    } else {
      clone.meet(random.pick(clones).head, way)
    }
  }
  const steps = 4 + random.below(16)
  for (let step = 0; step < steps; step++) {
    const clone = random.pick(clones)
    const what = random.below(10)
    if (what < 6) act(clone, step, deleting)
    else if (what < 7) clone.commit()
    else if (what < 8) clone.visit()
    else exchange(clone)
  }
  const text = (file: File) => file.join("\n")
  for (let round = 0; ; round++) {
    if (round === 8) throw new Error(`seed ${seed}: the clones do not converge`)
    const before = [...clones.map(({ head }) => head), shared]
    for (const clone of clones) {
      if (hub) {
        exchange(clone)
      } else {
        for (const other of clones) {
          other.commit()
          clone.meet(other.head, random.pick(ways))
        }
      }
    }
    if ([...clones.map(({ head }) => head), shared].every((head, i) => head === before[i])) break
  }
  const [first] = clones
  if (first === undefined) throw new RangeError("no clones")
  for (const clone of clones) {
    if (text(clone.file) !== text(first.file)) throw new Error(`seed ${seed}: the clones rest unequal`)
    const rows = [...clone.rows.values()].sort((a, b) => MergeOrder.compareText(a.id, b.id))
    if (rows.some(({ mark }) => mark !== undefined)) throw new Error(`seed ${seed}: marks are left`)
    if (text(rows.map(({ line }) => line)) !== text(clone.file)) throw new Error(`seed ${seed}: store and file differ`)
  }
  const end = first.file.map(read)
  return {
    edits: world.edits.length,
    lost: lostEdits(world.edits, end),
    wrong: wrongLives(world.edits, end),
    met: world.met
  }
}
