/**
 * The three-way merge of two whole sets of issues, as `bd merge` (the git merge driver) and imports need it (G22–G25).
 *
 * An issue that one side lacks is kept: only a tombstone deletes. Issues that were created apart under one id become
 * two, with the references to them as far as it can be told whose they are. The order of records, and of the sides, does
 * not matter. Pure.
 */

import * as CreatedApart from "./CreatedApart.ts"
import * as IdRenaming from "./IdRenaming.ts"
import * as IssueMerge from "./IssueMerge.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"
import * as MergeOrder from "./MergeOrder.ts"

type Records = ReadonlyArray<IssueRecord.IssueRecord>

export interface Merged {
  /** One record an id, sorted by id as UTF-8 bytes. */
  readonly records: Records
  /** Issues that left an id to another issue created before them, with their title. */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string; readonly title: string }>
  /** Dependencies on an id that now names another issue, where it cannot be told which of the two was meant. */
  readonly unresolvedReferences: ReadonlyArray<{
    readonly id: string
    readonly dependsOn: string
    readonly type: string
  }>
}

type Side = "left" | "right"

/** What is merged into one issue. */
interface Target {
  readonly bases: Array<IssueRecord.IssueRecord>
  readonly versions: Array<{ readonly side: Side; readonly record: IssueRecord.IssueRecord }>
}

/** The records of each id, equal lines once. */
const byId = (records: Records): ReadonlyMap<string, Records> => {
  const lines = new Map<string, Map<string, IssueRecord.IssueRecord>>()
  for (const record of records) {
    const known = lines.get(record.id) ?? new Map<string, IssueRecord.IssueRecord>()
    lines.set(record.id, known.set(IssueRecord.line(record), record))
  }
  return new Map([...lines].map(([id, distinct]) => [id, [...distinct.values()]]))
}

/** What an element of `dependencies` says. */
export interface Dependency {
  readonly identity: string
  readonly dependsOn: string
  readonly type: string
  readonly value: string
}

/** Reads an element of `dependencies`; `undefined` if it is none. */
export const dependency = (element: string): Dependency | undefined => {
  if (JsonText.kind(element) !== "object") return undefined
  const members = new Map(JsonText.members(element).map(({ key, value }) => [key, value]))
  const dependsOn = JsonText.decodeString(members.get("depends_on_id"))
  if (dependsOn === undefined) return undefined
  const type = JsonText.decodeString(members.get("type")) ?? ""
  return { identity: JSON.stringify([dependsOn, type]), dependsOn, type, value: JsonText.canonical(element) }
}

export const dependencies = (record: IssueRecord.IssueRecord): ReadonlyArray<Dependency> =>
  IssueRecord.elements(record, "dependencies").flatMap(element => dependency(element) ?? [])

/** The record with each dependency on the issue that `follow` gives for it. */
const redirect = (
  record: IssueRecord.IssueRecord,
  follow: (dependency: Dependency) => string
): IssueRecord.IssueRecord => {
  if (dependencies(record).every(found => follow(found) === found.dependsOn)) return record
  const elements = IssueRecord.elements(record, "dependencies").map(element => {
    const found = dependency(element)
    const to = found && follow(found)
    if (to === undefined || to === found?.dependsOn) return element
    const members = JsonText.members(element)
    return JsonText.encodeObject(
      members.map(({ key, value }) => ({ key, value: key === "depends_on_id" ? JsonText.encodeString(to) : value }))
    )
  })
  return IssueRecord.set(record, "dependencies", JsonText.encodeArray(elements))
}

const isTombstone = (record: IssueRecord.IssueRecord): boolean => IssueRecord.text(record, "status") === "tombstone"

/**
 * Edits that arrive for an id that was renamed are applied to the new one (G19): a side that still has the issue under
 * its old id is one more version of the new.
 */
const followRenames = (targets: ReadonlyMap<string, Target>) => {
  const renames = new Map<string, string>()
  for (const [id, { versions }] of targets) {
    for (const { record } of versions) {
      const to = IdRenaming.renamedTo(record)
      if (to !== undefined) renames.set(id, to)
    }
  }
  const moved = (record: IssueRecord.IssueRecord, to: string) =>
    IdRenaming.renameReferences(IdRenaming.withId(record, to), id => renames.get(id))
  for (const [id, { bases, versions }] of targets) {
    const to = versions
      .filter(({ record }) => isTombstone(record))
      .flatMap(({ record }) => IssueRecord.text(record, "renamed_to") ?? [])
      .sort(MergeOrder.compareText)
      .at(-1)
    const target = to === undefined || to === id ? undefined : targets.get(to)
    const ancestors = bases.filter(record => !isTombstone(record))
    if (to === undefined || target === undefined || ancestors.length === 0) continue
    const lines = new Set(ancestors.map(IssueRecord.line))
    const edited = versions.filter(({ record }) => !isTombstone(record) && !lines.has(IssueRecord.line(record)))
    const lives = target.versions.some(({ record }) => !isTombstone(record))
    const outlasting = lives ? IdRenaming.outlastingTombstone(versions.map(({ record }) => record)) : undefined
    // also where both sides renamed it, and no line of the old id is left
    if (target.bases.length === 0) target.bases.push(...ancestors.map(record => moved(record, to)))
    target.versions.push(...edited.map(({ record, side }) => ({ side, record: moved(record, to) })))
    if (outlasting !== undefined) versions.push({ side: "left", record: outlasting })
  }
}

/**
 * Of an ancestor that is several lines, not yet merged, gives the versions as edits of all of them: a line that a side
 * left as it was is no edit; what took the place of one line is carried from that line onto the whole.
 */
const ontoSeveral = (
  bases: Records,
  versions: Target["versions"],
  ancestor: IssueRecord.IssueRecord | undefined
): ((version: Target["versions"][number]) => IssueRecord.IssueRecord) => {
  if (ancestor === undefined || bases.length === 1) return ({ record }) => record
  const linesOf = (side: Side) =>
    new Set(versions.flatMap(version => (version.side === side ? [IssueRecord.line(version.record)] : [])))
  const lines = { left: linesOf("left"), right: linesOf("right") }
  const baseLines = new Set(bases.map(IssueRecord.line))
  return ({ record, side }) => {
    if (baseLines.has(IssueRecord.line(record))) return ancestor
    const [replaced, ...more] = bases.filter(line => !lines[side].has(IssueRecord.line(line)))
    return replaced === undefined || more.length > 0 ? record : IssueMerge.merge(replaced, [record, ancestor])
  }
}

/** Merges two sets of issues against the set they descend from. Several records of one id in a set are versions of it. */
export const mergeFiles = (files: {
  readonly base: Records
  readonly left: Records
  readonly right: Records
}): Merged => {
  const base = byId(files.base)
  const sides = { left: byId(files.left), right: byId(files.right) }
  const ids = new Set([...base.keys(), ...sides.left.keys(), ...sides.right.keys()])

  const targets = new Map<string, Target>()
  const target = (id: string): Target => {
    const known = targets.get(id) ?? { bases: [], versions: [] }
    targets.set(id, known)
    return known
  }
  /** Ids that name two issues, with what they name on each side. */
  const shared = new Map<string, Readonly<Record<Side, ReadonlySet<string>>>>()
  const moves = new Map<string, { readonly from: string; readonly to: string }>()

  for (const id of ids) {
    const bases = base.get(id) ?? []
    const left = sides.left.get(id) ?? []
    const right = sides.right.get(id) ?? []
    const all = CreatedApart.split([...bases, ...left, ...right])
    const to = new Set(all.map(({ record }) => record.id))
    // Against an ancestor another `created_at` is an edit like any other, unless the ancestor itself is two issues, or
    // one of the files knows the new id: there the issues have been told apart before.
    const isShared =
      to.size > 1 &&
      (bases.length === 0 ||
        new Set(all.slice(0, bases.length).map(({ record }) => record.id)).size > 1 ||
        [...to].some(other => other !== id && ids.has(other)))
    const placed = isShared ? all.map(({ record }) => record) : [...bases, ...left, ...right]
    const leftAt = bases.length
    const rightAt = leftAt + left.length
    placed.forEach((record, i) => {
      if (i < leftAt) {
        target(record.id).bases.push(record)
      } else {
        target(record.id).versions.push({ side: i < rightAt ? "left" : "right", record })
        if (record.id !== id) moves.set(record.id, { from: id, to: record.id })
      }
    })
    if (isShared) {
      const names = (records: Records): ReadonlySet<string> => new Set(records.map(record => record.id))
      shared.set(id, { left: names(placed.slice(leftAt, rightAt)), right: names(placed.slice(rightAt)) })
    }
  }
  followRenames(targets)

  const records: Array<IssueRecord.IssueRecord> = []
  const unresolvedReferences: Array<Merged["unresolvedReferences"][number]> = []
  for (const [, { bases, versions }] of targets) {
    /** The one issue that a dependency names, if it can be told: it is new on a side where its id names one issue. */
    const meaning = ({ dependsOn, identity, value }: Dependency, side: Side): string | undefined => {
      const names = shared.get(dependsOn)
      if (names === undefined) return dependsOn
      if (bases.some(record => dependencies(record).some(old => old.identity === identity))) return undefined
      const here = [...names[side]]
      const isElsewhere = versions.some(
        version => version.side !== side && dependencies(version.record).some(other => other.value === value)
      )
      const there = isElsewhere ? [...names[side === "left" ? "right" : "left"]] : here
      return here.length === 1 && there.length === 1 && here[0] === there[0] ? here[0] : undefined
    }
    const doubtful = new Set<string>()
    const ancestor = bases.length === 0 ? undefined : IssueMerge.merge(undefined, bases)
    const onAncestor = ontoSeveral(bases, versions, ancestor)
    const redirected = versions.map(version => {
      const { side } = version
      const record = onAncestor(version)
      if (shared.size === 0 || record === ancestor) return record
      return redirect(record, found => {
        const to = meaning(found, side)
        if (to === undefined) doubtful.add(found.identity)
        return to ?? found.dependsOn
      })
    })
    // absent on both sides is not deleted either
    const merged = redirected.length === 0 ? ancestor : IssueMerge.merge(ancestor, redirected)
    if (merged === undefined) continue
    records.push(merged)
    for (const { dependsOn, identity, type } of doubtful.size === 0 ? [] : dependencies(merged)) {
      if (doubtful.has(identity)) unresolvedReferences.push({ id: merged.id, dependsOn, type })
    }
  }

  records.sort((a, b) => MergeOrder.compareText(a.id, b.id))
  const titles = new Map(records.map(record => [record.id, IssueRecord.text(record, "title") ?? ""]))
  return {
    records,
    renamed: [...moves.values()]
      .map(({ from, to }) => ({ from, to, title: titles.get(to) ?? "" }))
      .sort((a, b) => MergeOrder.compareText(a.to, b.to)),
    unresolvedReferences: unresolvedReferences.sort(
      (a, b) =>
        MergeOrder.compareText(a.id, b.id) ||
        MergeOrder.compareText(a.dependsOn, b.dependsOn) ||
        MergeOrder.compareText(a.type, b.type)
    )
  }
}
