/**
 * Edits that arrive for an id that was renamed are applied to the new one (G19): what a plan of a reconcile means for
 * issues whose tombstone says `renamed_to`. Pure.
 *
 * A line of the old id that is alive is an edit, unless the renaming knew of it: then it is an older version, such as a
 * checkout brings back. The tombstone holds the fields as they were, with their stamp, so that this can be told also
 * where the store remembers nothing.
 */
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Instant from "../domain/Instant.ts"
import * as IssueMerge from "../domain/IssueMerge.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import { baseOf, type MarkedRow } from "../store/IssueStore.ts"
import { type FileLine, type Reconciliation, recordOf } from "./Reconciliation.ts"

/** Of ids where lines of a renamed and of a living issue meet: what is known of where a line comes from. */
export interface Descents {
  /** Whether the second line descends from the first. */
  readonly isAncestor: (id: string, line: string, of: string) => boolean
  readonly ancestorOf: (id: string, texts: ReadonlyArray<string>) => string | undefined
}

const textsById = (lines: ReadonlyArray<FileLine>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const out = new Map<string, Array<string>>()
  for (const { id, text } of lines) {
    const known = out.get(id)
    if (known === undefined) out.set(id, [text])
    else known.push(text)
  }
  return out
}

/** The ids of which a tombstone of a renamed issue and a living line meet. */
export const meeting = (
  rows: ReadonlyMap<string, MarkedRow>,
  lines: ReadonlyArray<FileLine>
): ReadonlyArray<string> => {
  if (![...rows.values()].some(row => IdRenaming.mayBeRenamed(row.line)) && !lines.some(isTombstone)) return []
  return [...textsById(lines)].flatMap(([id, texts]) => {
    const row = rows.get(id)
    const all = row === undefined ? texts : [...texts, row.line]
    return all.some(IdRenaming.mayBeRenamed) && !all.every(IdRenaming.mayBeRenamed) ? [id] : []
  })
}

const stamp = (record: IssueRecord.IssueRecord): string | undefined => IssueRecord.text(record, "updated_at")

const isTombstone = ({ text }: FileLine): boolean => IdRenaming.mayBeRenamed(text)

const isRenamed = (line: string): boolean =>
  IdRenaming.mayBeRenamed(line) && IdRenaming.renamedTo(recordOf(line)) !== undefined

/** What the tombstone says the issue was before it was renamed, as far as it can be told. */
const contentOf = (tombstone: IssueRecord.IssueRecord): IssueRecord.IssueRecord => {
  let record = tombstone
  for (const key of ["deleted_at", "deleted_by", "delete_reason", "original_type", "renamed_to"] as const) {
    record = IssueRecord.set(record, key, undefined)
  }
  const isClosed = IssueRecord.text(record, "closed_at") !== undefined
  return IssueRecord.set(record, "status", isClosed ? '"closed"' : '"open"')
}

/** Issues that live under an id that was renamed, beside the one of the new id: what undeleted them did not know that. */
const undeletedElsewhere = (
  suspects: ReadonlySet<string>,
  {
    current,
    rows,
    texts
  }: {
    readonly rows: ReadonlyMap<string, MarkedRow>
    readonly texts: ReadonlyMap<string, ReadonlyArray<string>>
    readonly current: (id: string) => IssueRecord.IssueRecord | undefined
  }
) => {
  const isLiving = (record: IssueRecord.IssueRecord | undefined) =>
    record !== undefined && IssueRecord.text(record, "status") !== "tombstone"
  return [...suspects].flatMap(id => {
    const row = rows.get(id)
    const lines = texts.get(id) ?? []
    const living = current(id)
    if (living === undefined || !isLiving(living) || lines.length === 0) return []
    const known = row === undefined ? lines : [...lines, row.line]
    const tombstone = IdRenaming.outlastingTombstone([...known.map(recordOf), living])
    const to = tombstone && IdRenaming.renamedTo(tombstone)
    return tombstone !== undefined && to !== undefined && to !== id && isLiving(current(to))
      ? [{ living, tombstone }]
      : []
  })
}

export const forward = (
  plan: Reconciliation,
  options: {
    readonly rows: ReadonlyMap<string, MarkedRow>
    readonly lines: ReadonlyArray<FileLine>
    readonly descents: Descents
  }
): Reconciliation => {
  const { descents, rows } = options
  const writes = new Map(plan.writes.map(write => [write.record.id, write]))
  const adopted = new Map(plan.adopted.map(entry => [entry.id, entry]))
  const versions = [...plan.descents]

  const current = (id: string): IssueRecord.IssueRecord | undefined => {
    const row = rows.get(id)
    return writes.get(id)?.record ?? (row === undefined ? undefined : recordOf(row.line))
  }
  const renames = new Map<string, string>()
  const note = (id: string, record: IssueRecord.IssueRecord | undefined) => {
    const to = record && IdRenaming.renamedTo(record)
    if (to !== undefined) renames.set(id, to)
  }
  /** Few of many: no other is read for this. */
  const suspects = new Set(options.lines.filter(isTombstone).map(({ id }) => id))
  for (const [id, { line }] of rows) {
    if (!IdRenaming.mayBeRenamed(line)) continue
    suspects.add(id)
    note(id, current(id))
  }
  for (const [id, { record }] of writes) note(id, record)
  if (renames.size === 0 && suspects.size === 0) return plan
  const texts = textsById(options.lines)
  const undeleted = undeletedElsewhere(suspects, { rows, texts, current })
  for (const { tombstone } of undeleted) note(tombstone.id, tombstone)
  if (renames.size === 0) return plan

  /** The id an issue has now, after however many renamings. */
  const following = IdRenaming.following(renames)
  const renaming: IdRenaming.Renaming = id => {
    const to = following(id)
    return to !== undefined && current(to) !== undefined ? to : undefined
  }

  const put = (record: IssueRecord.IssueRecord, parents: ReadonlyArray<string>) => {
    const row = rows.get(record.id)
    const write = writes.get(record.id)
    const before = current(record.id)
    const line = IssueRecord.line(record)
    if (before !== undefined && IssueRecord.line(before) === line) return
    const base =
      write === undefined
        ? row && baseOf(row)
        : write.state._tag === "clean"
          ? IssueRecord.line(write.record)
          : write.state.base
    writes.set(record.id, { record, state: { _tag: "dirty", base } })
    adopted.set(record.id, { id: record.id, before: row?.line, after: line })
    versions.push({ id: record.id, line, parents })
  }

  /** The lines of an old id that are edits, deletions among them, each with the version that it was made from. */
  const editsOf = (id: string, texts: ReadonlyArray<string>) => {
    const row = rows.get(id)
    const all = [...new Set([...texts, ...(row === undefined ? [] : [row.line])])]
    const tombstones = all.filter(isRenamed)
    // a deletion made here counts like one that comes, though the file was replaced by one that does not know of it (G23)
    const isDeletedHere =
      row !== undefined && IssueRecord.text(recordOf(row.line), "status") === "tombstone" && !isRenamed(row.line)
    const edits = [...new Set([...texts, ...(isDeletedHere ? [row.line] : [])])].flatMap(text => {
      if (tombstones.includes(text)) return []
      const edit = recordOf(text)
      if (tombstones.some(line => descents.isAncestor(id, text, line))) return []
      const ancestor = descents.ancestorOf(id, [text, ...tombstones])
      if (ancestor === text) return []
      if (ancestor !== undefined && IdRenaming.renamedTo(recordOf(ancestor)) === undefined) {
        return [{ base: recordOf(ancestor), edit }]
      }
      const [tombstone] = tombstones.map(recordOf).sort((a, b) => Instant.compare(stamp(b), stamp(a)))
      return tombstone !== undefined && Instant.compare(stamp(edit), stamp(tombstone)) > 0
        ? [{ base: contentOf(tombstone), edit }]
        : []
    })
    // a change of our own that was not yet published when the tombstone came
    const base = row?.mark?.base
    if (row !== undefined && base !== undefined && base !== row.line && !IdRenaming.mayBeRenamed(row.line)) {
      edits.push({ base: recordOf(base), edit: recordOf(row.line) })
    }
    return edits
  }

  for (const { living, tombstone } of undeleted) {
    put(IssueMerge.merge(undefined, [living, tombstone]), [IssueRecord.line(living)])
  }
  for (const id of renames.keys()) {
    const to = renaming(id)
    const row = rows.get(id)
    if (to === undefined) continue
    const lines = texts.get(id) ?? []
    // what an import met here, and did not replace
    const met = row !== undefined && undeleted.some(({ living }) => living.id === id) ? [row.line] : []
    const edits = editsOf(id, [...lines, ...met])
    const tombstones = [...(row === undefined ? [] : [row.line]), ...lines].filter(isRenamed)
    // a stale line changes nothing below the tombstones either; another clone's tombstone is none
    if (edits.length === 0 && row !== undefined && isRenamed(row.line) && writes.has(id) && !lines.every(isRenamed)) {
      put(IssueMerge.merge(undefined, tombstones.map(recordOf)), new Set(tombstones).size > 1 ? tombstones : [])
    }
    for (const { base, edit } of edits) {
      const target = current(to)
      if (target === undefined) continue
      const moved = (record: IssueRecord.IssueRecord) =>
        IdRenaming.renameReferences(IdRenaming.withId(record, to), renaming)
      put(IssueMerge.merge(moved(base), [target, moved(edit)]), [IssueRecord.line(target)])
    }
  }

  // a renaming that is new here concerns every issue, a known one those that came
  const isNew = [...writes.keys()].some(id => renames.has(id) && !IdRenaming.mayBeRenamed(rows.get(id)?.line ?? ""))
  for (const id of isNew ? new Set([...rows.keys(), ...writes.keys()]) : [...writes.keys()]) {
    const record = current(id)
    if (record === undefined || IssueRecord.text(record, "status") === "tombstone") continue
    put(IdRenaming.renameDependencies(record, renaming), [IssueRecord.line(record)])
  }

  return {
    ...plan,
    writes: [...writes.values()],
    missing: plan.missing.filter(id => !writes.has(id)),
    settled: plan.settled.filter(id => !writes.has(id)),
    descents: versions,
    adopted: [...adopted.values()]
  }
}
