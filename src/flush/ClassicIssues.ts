/**
 * What an issue of a classic database becomes beside its line in the issue file, decided purely.
 *
 * The classic tool's file is not all it knew: its flush dropped comments and cleared the mark all the same. So labels,
 * dependencies and comments of row and line unite, always. Of the other fields a clean row says nothing new: its line
 * stands. A dirty row is merged with the line field by field; keys that the database has no column for are the line's.
 */

import * as CreatedApart from "../domain/CreatedApart.ts"
import * as Instant from "../domain/Instant.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueMerge from "../domain/IssueMerge.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import type { Classic, ClassicIssue } from "../store/ClassicDatabase.ts"
import type { Write } from "../store/IssueStore.ts"

type Record = IssueRecord.IssueRecord

const isTombstone = (record: Record): boolean => IssueRecord.text(record, "status") === "tombstone"

/** Null, `""`, `0`, `false`: what Go leaves out. */
const isEmpty = (value: string): boolean => ["null", '""', "0", "false", "[]", "{}"].includes(JsonText.canonical(value))

const isSame = (a: string, b: string): boolean => {
  if (JsonText.canonical(a) === JsonText.canonical(b)) return true
  const instant = Instant.parse(JsonText.decodeString(a))
  return instant !== undefined && instant === Instant.parse(JsonText.decodeString(b))
}

/** The record with the fields of the row; where both say the same, as it was written. */
const withFields = (record: Record, { fields }: ClassicIssue): Record => {
  let after = record
  for (const [key, value] of fields) {
    const old = IssueRecord.get(after, key)
    if (value === undefined ? old === undefined || isEmpty(old) : old !== undefined && isSame(old, value)) continue
    after = IssueRecord.set(after, key, value)
  }
  return after
}

const memberOf = (element: string, key: string): string =>
  (JsonText.kind(element) === "object"
    ? JsonText.decodeString(JsonText.members(element).findLast(member => member.key === key)?.value)
    : undefined) ?? ""

const append = (record: Record, key: "dependencies" | "comments", elements: ReadonlyArray<string>): Record =>
  elements.length === 0
    ? record
    : IssueRecord.set(record, key, JsonText.encodeArray([...IssueRecord.elements(record, key), ...elements]))

const withDependencies = (record: Record, { dependencies }: ClassicIssue): Record => {
  const name = (element: string) => JSON.stringify([memberOf(element, "depends_on_id"), memberOf(element, "type")])
  const present = new Set(IssueRecord.elements(record, "dependencies").map(name))
  return append(
    record,
    "dependencies",
    dependencies.filter(element => !present.has(name(element)))
  )
}

/**
 * The classic import gave a comment a new time and trimmed its text: a comment of the line that says the same, and that
 * no other comment of the row is, is that comment.
 */
const withComments = (record: Record, { comments }: ClassicIssue): Record => {
  const present = [...IssueRecord.elements(record, "comments")]
  const saying = (element: string) => JSON.stringify([memberOf(element, "author"), memberOf(element, "text").trim()])
  const at = (element: string) => Instant.sortable(memberOf(element, "created_at"))
  const take = (isMatch: (element: string) => boolean): boolean => {
    const index = present.findIndex(isMatch)
    if (index === -1) return false
    present.splice(index, 1)
    return true
  }
  const left = comments.filter(own => !take(element => saying(element) === saying(own) && at(element) === at(own)))
  const added = left.filter(own => !take(element => saying(element) === saying(own)))

  const used = new Set(IssueRecord.elements(record, "comments").map(numberOf))
  let highest = [...used, ...added.map(numberOf)].reduce((a, b) => (a > b ? a : b), 0n)
  const numbered = added.map(element => {
    const number = numberOf(element)
    const free = number > 0n && !used.has(number) ? number : ++highest
    used.add(free)
    return JsonText.encodeObject(
      JsonText.members(element).map(({ key, value }) => ({ key, value: key === "id" ? `${free}` : value }))
    )
  })
  return append(record, "comments", numbered)
}

const numberOf = (comment: string): bigint => {
  const id =
    JsonText.kind(comment) === "object" ? JsonText.members(comment).find(({ key }) => key === "id")?.value : undefined
  return id !== undefined && /^\d+$/.test(id) ? BigInt(id) : 0n
}

/** The record with the labels, dependencies and comments of the row beside its own. */
const withSets = (record: Record, issue: ClassicIssue): Record => {
  const labelled = IssueChange.addLabels(issue.labels)(record, { at: "", actor: "" })
  return withComments(withDependencies(labelled, issue), issue)
}

/** The issue as the row alone has it. */
const alone = (issue: ClassicIssue): Record => {
  const members = [...issue.fields].flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]))
  members.sort((a, b) => IssueRecord.keyRank(a.key) - IssueRecord.keyRank(b.key))
  const bare = IssueRecord.make(issue.id, [{ key: "id", value: JsonText.encodeString(issue.id) }, ...members])
  return withSets(bare, issue)
}

/** What `issue` and its lines in the file come to. `isFileKnown`: since that file was written only dirty rows changed. */
const take = (issue: ClassicIssue, lines: ReadonlyArray<Record>, isFileKnown: boolean): Write => {
  const row = alone(issue)
  // of several lines the reconcile makes one, with what the row adds to the first
  const [line] = lines
  if (line === undefined) return { record: row, state: { _tag: "dirty", base: undefined } }

  const isOther =
    issue.isDirty &&
    CreatedApart.isApart(row, line) &&
    IssueRecord.text(row, "title") !== IssueRecord.text(line, "title")
  // two clones gave one id to two issues: the reconcile tells them apart (G24)
  if (isOther) return { record: row, state: { _tag: "dirty", base: undefined } }

  const united = withSets(line, issue)
  const deletes = isTombstone(row) !== isTombstone(line)
  const record =
    !issue.isDirty && !(deletes && isTombstone(row))
      ? united
      : isFileKnown && !deletes
        ? withFields(united, issue)
        : IssueMerge.merge(undefined, [withFields(united, issue), united])
  const base = IssueRecord.line(line)
  return {
    record,
    state: IssueRecord.line(record) === base ? { _tag: "clean" } : { _tag: "dirty", base }
  }
}

/** All issues of a classic database as rows of a new store. What only the file holds, the next reconcile brings. */
export const takeAll = (
  { issues }: Classic,
  lines: ReadonlyMap<string, ReadonlyArray<Record>>,
  isFileKnown: boolean
): ReadonlyArray<Write> => issues.map(issue => take(issue, lines.get(issue.id) ?? [], isFileKnown))
