/**
 * Two issues that were created apart under one id, in two clones or by two tools (G24): told from two versions of one
 * issue by the time of creation, which no edit moves. Pure.
 */
import * as IdRenaming from "./IdRenaming.ts"
import * as Instant from "./Instant.ts"
import * as IssueId from "./IssueId.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as MergeOrder from "./MergeOrder.ts"

const second = 1_000_000_000n

const createdAt = (record: IssueRecord.IssueRecord): bigint | undefined =>
  Instant.parse(IssueRecord.text(record, "created_at"))

/**
 * Whether two lines of one id, of which no ancestor is known, are two issues: created a second or more apart. Less may
 * be a tool that cuts fractions off.
 */
export const isApart = (a: IssueRecord.IssueRecord, b: IssueRecord.IssueRecord): boolean => {
  const left = createdAt(a)
  const right = createdAt(b)
  if (left === undefined || right === undefined) return false
  return left - right >= second || right - left >= second
}

const compareCreation = (a: IssueRecord.IssueRecord, b: IssueRecord.IssueRecord): number => {
  const text = (record: IssueRecord.IssueRecord, key: IssueRecord.Key) => IssueRecord.text(record, key) ?? ""
  return (
    Instant.order(createdAt(a), createdAt(b)) ||
    MergeOrder.compareText(text(a, "created_by"), text(b, "created_by")) ||
    MergeOrder.compareText(text(a, "title"), text(b, "title")) ||
    MergeOrder.compareText(IssueRecord.line(a), IssueRecord.line(b))
  )
}

/** The id of an issue that has to leave the id it was created with: the same in every clone, whatever is edited later. */
const idApart = (record: IssueRecord.IssueRecord): string => {
  const createdBy = IssueRecord.text(record, "created_by") ?? ""
  const prefix = IssueId.prefixOf(record.id) ?? record.id
  return `${prefix}-${IssueId.hash(`${record.id}|${createdAt(record) ?? ""}|${createdBy}`, IssueId.maxLength)}`
}

/**
 * Tells the issues among lines of one id apart, when no ancestor is known (G24). The earliest keeps the id, later ones
 * get new ids. In the order given; a record that keeps its id is returned as it is.
 *
 * Lines less than a second apart are one issue, also through a third between them: so the order of lines does not
 * matter. A line without a readable `created_at` belongs to the earliest.
 */
export const split = (
  records: ReadonlyArray<IssueRecord.IssueRecord>
): ReadonlyArray<{ readonly from: string; readonly record: IssueRecord.IssueRecord }> => {
  const ids = new Map<IssueRecord.IssueRecord, string>()
  let id: string | undefined
  let previous: IssueRecord.IssueRecord | undefined
  for (const record of [...records].sort(compareCreation)) {
    if (id === undefined) id = record.id
    else if (previous !== undefined && isApart(previous, record)) id = idApart(record)
    ids.set(record, id)
    previous = record
  }
  return records.map(record => {
    const to = ids.get(record) ?? record.id
    return { from: record.id, record: to === record.id ? record : IdRenaming.withId(record, to) }
  })
}
