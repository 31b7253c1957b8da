/**
 * What a changed issue file means for the store, decided without touching either (G19–G25).
 *
 * Pure: rows and lines in, writes out. For each id the lines of the file become one version F; a clean row follows F,
 * a dirty row is merged with it against its base, a row without a line is marked, and a deletion is joined over all
 * versions before anything else.
 */

import * as CreatedApart from "../domain/CreatedApart.ts"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Instant from "../domain/Instant.ts"
import * as IssueMerge from "../domain/IssueMerge.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import { baseOf, type MarkedRow, type Write } from "../store/IssueStore.ts"
import * as SplitReferences from "./SplitReferences.ts"

/** One line of the file: its id and its text. */
export interface FileLine {
  readonly id: string
  readonly text: string
}

/** A version of a line to remember, with the texts it was made from. */
export interface Descent {
  readonly id: string
  readonly line: string
  readonly parents: ReadonlyArray<string>
}

export interface Reconciliation {
  readonly writes: ReadonlyArray<Write>
  /** Rows whose line is gone from the file: marked, so that the next publish brings them back (G19). */
  readonly missing: ReadonlyArray<string>
  /** Marked rows whose line the file holds after all: cleared. */
  readonly settled: ReadonlyArray<string>
  readonly descents: ReadonlyArray<Descent>
  /** Issues that came or changed, for the audit trail. `before`: the row's line, none for an issue that is new here. */
  readonly adopted: ReadonlyArray<{ readonly id: string; readonly before: string | undefined; readonly after: string }>
  /** Issues created apart under one id: the later one has a new id (G24). */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
  /** Dependencies on such an id of which it cannot be told which of the two issues they mean. */
  readonly unresolved: ReadonlyArray<{ readonly id: string; readonly dependsOn: string }>
}

/** The version both sides descend from, as far as it is known: the text of a line. */
export type AncestorOf = (id: string, texts: ReadonlyArray<string>) => string | undefined

/** The record of a line that the file's reader has accepted. */
export const recordOf = (text: string): IssueRecord.IssueRecord => {
  const record = IssueLine.decode(text)
  if (record instanceof IssueLine.Unreadable) throw new Error(`a line of the store cannot be read: ${record.reason}`)
  return record
}

/** What the file says of one id. */
interface Version {
  readonly record: IssueRecord.IssueRecord
  /** The file holds exactly this version as its one line of the id. */
  readonly exact: boolean
  readonly from: ReadonlyArray<string>
}

const deletedAt = (record: IssueRecord.IssueRecord): string | undefined =>
  IssueRecord.text(record, "status") === "tombstone" ? (IssueRecord.text(record, "deleted_at") ?? "") : undefined

/** Whether a version was written before another, by their stamps. */
const isEarlier = (version: IssueRecord.IssueRecord, other: IssueRecord.IssueRecord): boolean =>
  Instant.compare(IssueRecord.text(version, "updated_at"), IssueRecord.text(other, "updated_at")) < 0

/** Whether a version that follows `row` would forget a deletion, an undeletion or a renaming that `row` knows of (G23, G19). */
const forgetsDeletion = (
  row: IssueRecord.IssueRecord,
  version: IssueRecord.IssueRecord,
  joined: IssueRecord.IssueRecord
): boolean =>
  (deletedAt(row) !== undefined || IssueRecord.get(row, "undeleted_at") !== undefined) &&
  (deletedAt(joined) !== deletedAt(version) ||
    IssueRecord.get(joined, "undeleted_at") !== IssueRecord.get(version, "undeleted_at") ||
    IdRenaming.renamedTo(joined) !== IdRenaming.renamedTo(version))

/**
 * An older version with the deletion or undeletion that the row knows of: no later than it was itself, or that was. With
 * the row's stamp its older values would pass for values as late, and win over those that the row holds. Where an issue
 * went stays as late as it is, by which stale lines of the old id are told from edits (G19).
 */
const carriedOnto = (
  row: IssueRecord.IssueRecord,
  version: IssueRecord.IssueRecord,
  joined: IssueRecord.IssueRecord
): IssueRecord.IssueRecord => {
  if (IdRenaming.renamedTo(joined) !== undefined || IssueRecord.line(joined) === IssueRecord.line(row)) return joined
  const stamps = [
    IssueRecord.text(version, "updated_at"),
    deletedAt(joined),
    IssueRecord.text(joined, "undeleted_at")
  ].filter(stamp => Instant.parse(stamp) !== undefined)
  const [latest] = stamps.sort((a, b) => Instant.compare(b, a))
  return latest === undefined ? joined : IssueRecord.set(joined, "updated_at", JsonText.encodeString(latest))
}

/** What stands between the decisions and the outcome: ids that turned out to name two issues. */
const makeSplits = (rows: ReadonlyMap<string, MarkedRow>, texts: ReadonlyMap<string, Iterable<string>>) => {
  const named = new Map<string, { readonly ours: string | undefined; readonly others: Set<string> }>()
  const origins = new Map<string, string>()

  /** Tells the versions of an id apart; gives them with the ids they have now. */
  const apart = (records: ReadonlyArray<IssueRecord.IssueRecord>): ReadonlyArray<IssueRecord.IssueRecord> => {
    const parts = CreatedApart.split(records)
    for (const { from, record } of parts) {
      if (record.id === from) continue
      origins.set(record.id, from)
      const row = rows.get(from)
      const mine = row === undefined ? undefined : recordOf(row.line)
      const ours = mine && parts.find(part => !CreatedApart.isApart(part.record, mine))?.record.id
      const known = named.get(from)
      named.set(from, {
        ours: ours ?? known?.ours,
        others: new Set([...(known?.others ?? []), ...parts.map(part => part.record.id)])
      })
    }
    return parts.map(({ record }) => record)
  }

  const whose = (): ReadonlyMap<string, SplitReferences.Split> =>
    new Map(
      [...named].map(([id, { ours, others }]) => {
        const theirs = [...others].filter(other => other !== ours)
        return [id, { ours, theirs: ours !== undefined && theirs.length === 1 ? theirs[0] : undefined }]
      })
    )

  /** The plan with dependencies led to the issue they mean. */
  const followed = (plan: Omit<Reconciliation, "renamed" | "unresolved">): Reconciliation => {
    const renamed = [...origins].map(([to, from]) => ({ from, to }))
    if (renamed.length === 0) return { ...plan, renamed, unresolved: [] }
    const splits = whose()
    const writes = new Map(plan.writes.map(write => [write.record.id, write]))
    const adopted = new Map(plan.adopted.map(entry => [entry.id, entry]))
    const descents = [...plan.descents]
    const unresolved: Array<Reconciliation["unresolved"][number]> = []
    for (const id of new Set([...rows.keys(), ...writes.keys()])) {
      const row = rows.get(id)
      const write = writes.get(id)
      const record = write?.record ?? (row === undefined ? undefined : recordOf(row.line))
      if (record === undefined) continue
      const ids = [id, ...(origins.has(id) ? [origins.get(id) ?? id] : [])]
      const mine = ids.flatMap(from => rows.get(from) ?? [])
      const next = SplitReferences.follow(record, splits, {
        rows: mine.map(({ line }) => recordOf(line)),
        bases: mine.flatMap(from => baseOf(from) ?? []).map(recordOf),
        incoming: ids.flatMap(from => [...(texts.get(from) ?? [])].map(recordOf))
      })
      unresolved.push(...next.unresolved.map(dependsOn => ({ id, dependsOn })))
      if (next.record === record) continue
      const [line, before] = [IssueRecord.line(next.record), IssueRecord.line(record)]
      const base = write === undefined ? row && baseOf(row) : write.state._tag === "clean" ? before : write.state.base
      writes.set(id, { record: next.record, state: { _tag: "dirty", base } })
      adopted.set(id, { id, before: row?.line, after: line })
      descents.push({ id, line: before, parents: [] }, { id, line, parents: [before] })
    }
    return {
      writes: [...writes.values()],
      missing: plan.missing.filter(id => !writes.has(id)),
      settled: plan.settled.filter(id => !writes.has(id)),
      descents,
      adopted: [...adopted.values()],
      renamed,
      unresolved
    }
  }

  return { apart, followed }
}

/**
 * Whether an id that has an ancestor names two issues nonetheless: one of the versions was created apart from it, and
 * the id that the later one got when they were told apart is known. Else another `created_at` is an edit.
 */
const areToldApart = (
  ancestor: IssueRecord.IssueRecord,
  records: ReadonlyArray<IssueRecord.IssueRecord>,
  known: ReadonlyMap<string, unknown>
): boolean =>
  CreatedApart.split([ancestor, ...records]).some(({ from, record }) => record.id !== from && known.has(record.id))

export const reconcile = (options: {
  readonly rows: ReadonlyMap<string, MarkedRow>
  readonly lines: ReadonlyArray<FileLine>
  readonly ancestorOf: AncestorOf
}): Reconciliation => {
  const { ancestorOf, lines, rows } = options
  const writes: Array<Write> = []
  const settled: Array<string> = []
  const descents: Array<Descent> = []
  const adopted: Array<Reconciliation["adopted"][number]> = []

  const texts = new Map<string, Array<string>>()
  for (const { id, text } of lines) {
    const known = texts.get(id)
    if (known === undefined) texts.set(id, [text])
    else known.push(text)
  }

  const splits = makeSplits(rows, texts)
  // versions that the file does not hold under this id: the later of two issues created apart
  const strays = new Map<string, Array<IssueRecord.IssueRecord>>()
  const strayAncestors = new Map<string, IssueRecord.IssueRecord>()
  /** Those that keep the id. */
  const apart = (id: string, records: ReadonlyArray<IssueRecord.IssueRecord>): ReadonlyArray<IssueRecord.IssueRecord> =>
    splits.apart(records).filter(record => {
      if (record.id !== id) strays.set(record.id, [...(strays.get(record.id) ?? []), record])
      return record.id === id
    })

  const follow = (id: string, version: Version) => {
    const row = rows.get(id)
    const line = IssueRecord.line(version.record)
    if (row === undefined) {
      writes.push({
        record: version.record,
        state: version.exact ? { _tag: "clean" } : { _tag: "dirty", base: line }
      })
      adopted.push({ id, before: undefined, after: line })
      if (!version.exact) descents.push({ id, line, parents: version.from })
      return
    }
    const from = baseOf(row)
    if (version.exact && row.line === line) {
      if (row.mark === undefined) return
      settled.push(id)
      if (from !== undefined && from !== line) {
        // published by somebody who could not clear the mark any more: remembered as the clearing would have
        descents.push({ id, line: from, parents: [] }, { id, line, parents: [from] })
      }
      return
    }
    if (line === from) {
      if (version.exact || row.mark !== undefined) return
      // two lines that make up what the row already says: the next publish makes them one
      writes.push({ record: recordOf(row.line), state: { _tag: "dirty", base: line } })
      return
    }
    const current = recordOf(row.line)
    const isClean = row.mark === undefined || row.line === from
    const joined = IssueMerge.merge(current, [current, version.record])
    const isKept = isClean && forgetsDeletion(current, version.record, joined)
    // what the row says is not given up for another issue of its id, nor is that issue deleted with it
    if (
      CreatedApart.isApart(current, version.record) &&
      (!isClean || isKept || areToldApart(current, [version.record], rows))
    ) {
      const kept = apart(id, [current, version.record])
      const keeper = kept[0]
      if (keeper !== undefined && IssueRecord.line(keeper) !== row.line) {
        writes.push({ record: keeper, state: version.exact ? { _tag: "clean" } : { _tag: "dirty", base: line } })
        adopted.push({ id, before: row.line, after: IssueRecord.line(keeper) })
      } else if (isClean) {
        // no longer in the file, which has the other issue there
        writes.push({ record: current, state: { _tag: "dirty", base: undefined } })
      }
      return
    }
    const next = isClean
      ? isKept
        ? carriedOnto(current, version.record, joined)
        : version.record
      : IssueMerge.merge(from === undefined ? undefined : recordOf(from), [current, version.record])
    const nextLine = IssueRecord.line(next)
    writes.push({
      record: next,
      state: version.exact && nextLine === line ? { _tag: "clean" } : { _tag: "dirty", base: line }
    })
    if (nextLine !== row.line) adopted.push({ id, before: row.line, after: nextLine })
    // each before what was made from it: a version keeps the parents it was first seen with
    if (from !== undefined) descents.push({ id, line: from, parents: [] })
    if (row.line !== from) descents.push({ id, line: row.line, parents: from === undefined ? [] : [from] })
    // an older line is no edit of the base: a checkout brought it
    const isEdit = from !== undefined && !isEarlier(version.record, recordOf(from))
    descents.push({ id, line, parents: version.exact ? (isEdit ? [from] : []) : version.from })
    // what the row says beyond a deletion is not in it then
    if (nextLine !== line) descents.push({ id, line: nextLine, parents: isKept ? [line] : [row.line, line] })
  }

  for (const [id, all] of texts) {
    const distinct = [...new Set(all)]
    const [only] = distinct
    if (only !== undefined && distinct.length === 1) {
      const row = rows.get(id)
      // the common case by far: nothing to take apart
      if (all.length === 1 && row !== undefined && row.mark === undefined && row.line === only) continue
      follow(id, { record: recordOf(only), exact: all.length === 1, from: [only] })
      continue
    }
    const ancestor = ancestorOf(id, distinct)
    const records = distinct.map(recordOf)
    if (ancestor !== undefined) descents.push({ id, line: ancestor, parents: [] })
    for (const line of distinct) descents.push({ id, line, parents: ancestor === undefined ? [] : [ancestor] })
    let from = ancestor === undefined ? undefined : recordOf(ancestor)
    let mine: ReadonlyArray<IssueRecord.IssueRecord> = records
    if (from === undefined) {
      mine = apart(id, records)
    } else if (areToldApart(from, records, texts)) {
      const [moved = from, ...placed] = splits.apart([from, ...records])
      mine = placed.filter(record => record.id === id)
      for (const record of placed) {
        if (record.id !== id) strays.set(record.id, [...(strays.get(record.id) ?? []), record])
      }
      if (moved.id !== id) {
        strayAncestors.set(moved.id, moved)
        from = undefined
      }
    }
    if (mine.length > 0) {
      follow(id, { record: IssueMerge.merge(from, mine), exact: false, from: distinct })
    }
  }

  // following may split further ids off, so the strays come last; merging them is free of order
  const present = new Map(writes.map(write => [write.record.id, write]))
  for (const [id, records] of strays) {
    const row = rows.get(id)
    const written = present.get(id)
    const versions = [...(written ? [written.record] : row ? [recordOf(row.line)] : []), ...records]
    const merged = IssueMerge.merge(strayAncestors.get(id), versions)
    const line = IssueRecord.line(merged)
    if (row !== undefined && written === undefined && row.line === line) continue
    const state: Write["state"] = {
      _tag: "dirty",
      base: written?.state._tag === "dirty" ? written.state.base : row === undefined ? undefined : baseOf(row)
    }
    if (written !== undefined) writes.splice(writes.indexOf(written), 1)
    writes.push({ record: merged, state })
    adopted.push({ id, before: row?.line, after: line })
  }

  const written = new Set(writes.map(write => write.record.id))
  const missing: Array<string> = []
  for (const [id, row] of rows) {
    if (!texts.has(id) && row.mark === undefined && !written.has(id)) missing.push(id)
  }
  return splits.followed({ writes, missing, settled: settled.filter(id => !written.has(id)), descents, adopted })
}

/**
 * What lines that are not the issue file's mean for the store: an import, or what another program had written into a
 * file that was just replaced. Each line is one more version of its issue; bases stay, what changes is dirty.
 */
export const absorb = (options: {
  readonly rows: ReadonlyMap<string, MarkedRow>
  readonly lines: ReadonlyArray<FileLine>
  readonly ancestorOf: AncestorOf
}): Reconciliation => {
  const { ancestorOf, lines, rows } = options
  const versions = new Map<string, Array<IssueRecord.IssueRecord>>()
  const add = (record: IssueRecord.IssueRecord) => versions.set(record.id, [...(versions.get(record.id) ?? []), record])
  const incoming = new Map<string, Set<string>>()
  for (const { id, text } of lines) incoming.set(id, (incoming.get(id) ?? new Set()).add(text))
  const splits = makeSplits(rows, incoming)
  const ancestors = new Map<string, IssueRecord.IssueRecord>()
  const descents: Array<Descent> = []
  for (const [id, texts] of incoming) {
    const row = rows.get(id)
    if (row !== undefined && texts.size === 1 && texts.has(row.line)) continue
    const all = [...new Set([...(row === undefined ? [] : [row.line]), ...texts])]
    const ancestor = all.length > 1 ? ancestorOf(id, all) : undefined
    // as it was judged now it is judged when it comes again
    if (ancestor !== undefined) descents.push({ id, line: ancestor, parents: [] })
    for (const line of texts) {
      if (line !== row?.line) descents.push({ id, line, parents: ancestor === undefined ? [] : [ancestor] })
    }
    const records = all.map(recordOf)
    const from = ancestor === undefined ? undefined : recordOf(ancestor)
    if (from !== undefined && areToldApart(from, records, incoming)) {
      const [moved = from, ...placed] = splits.apart([from, ...records])
      ancestors.set(moved.id, moved)
      placed.forEach(add)
    } else if (from !== undefined || records.length === 1) {
      if (from !== undefined) ancestors.set(id, from)
      records.forEach(add)
    } else {
      splits.apart(records).forEach(add)
    }
  }
  const writes: Array<Write> = []
  const adopted: Array<Reconciliation["adopted"][number]> = []
  for (const [id, records] of versions) {
    const row = rows.get(id)
    // an id that a split led to may have a row of its own
    const all =
      row === undefined || records.some(record => IssueRecord.line(record) === row.line)
        ? records
        : incoming.has(id)
          ? records
          : [...records, recordOf(row.line)]
    const merged = IssueMerge.merge(ancestors.get(id), all)
    const line = IssueRecord.line(merged)
    if (row?.line === line) continue
    const base = row && baseOf(row)
    writes.push({ record: merged, state: { _tag: "dirty", base } })
    adopted.push({ id, before: row?.line, after: line })
    if (row !== undefined) descents.push({ id, line, parents: all.map(record => IssueRecord.line(record)) })
  }
  return splits.followed({ writes, missing: [], settled: [], descents, adopted })
}
