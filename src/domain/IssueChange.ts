/**
 * The changes that can be made to an issue, as edits of its record.
 *
 * An edit touches what it is about and nothing else: order and presence of keys, unknown fields and untouched elements
 * of arrays stay as they were written (G18). Whatever changes sets `updated_at` (G22), and `status`, `closed_at` and
 * `close_reason` move together (G27). What changes nothing returns the very record it was given.
 *
 * ```ts
 * IssueChange.apply(record, { at, actor }, IssueChange.close("done"), IssueChange.addLabel("shipped"))
 * ```
 *
 * Pure; the time is given. Values are taken as valid: `Issue.decode…` checks them.
 */
import * as Instant from "./Instant.ts"
import * as Issue from "./Issue.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"

type Record = IssueRecord.IssueRecord

export interface ChangeContext {
  /** Now, RFC 3339. */
  readonly at: string
  readonly actor: string
  /** Stamps of other versions of the issue that the change must outdo; those of the record itself always count. */
  readonly seen?: ReadonlyArray<string>
}

/** One edit. It is given the stamp of the change as `at`, and sets no `updated_at` itself. */
export type Edit = (record: Record, context: ChangeContext) => Record

// ---------------------------------------------------------------------------------------------------------------------
// Stamps
// ---------------------------------------------------------------------------------------------------------------------

const nanosecondsPerMilli = 1_000_000n

/** The last instant that RFC 3339 can write. */
const endOfTime = BigInt(Date.UTC(9999, 11, 31, 23, 59, 59, 999)) * nanosecondsPerMilli + 999_999n

const format = (nanoseconds: bigint): string => {
  const below = ((nanoseconds % nanosecondsPerMilli) + nanosecondsPerMilli) % nanosecondsPerMilli
  const milliseconds = new Date(Number((nanoseconds - below) / nanosecondsPerMilli)).toISOString()
  return below === 0n
    ? milliseconds
    : milliseconds.replace("Z", `${String(below).padStart(6, "0").replace(/0+$/, "")}Z`)
}

/**
 * The stamp of a change made at `now`: later by a millisecond than every earlier one, so that it wins over them also
 * when the clock runs backwards. UTC, milliseconds at least. Earlier stamps that are no time are passed over.
 */
export const stamp = (now: string, previous: Iterable<string> = []): string => {
  let latest = Instant.parse(now) ?? 0n
  for (const text of previous) {
    const instant = Instant.parse(text)
    if (instant !== undefined && instant + nanosecondsPerMilli > latest) latest = instant + nanosecondsPerMilli
  }
  return format(latest < endOfTime ? latest : endOfTime)
}

/** Every stamp of the issue itself: a deletion must outdo an undeletion and the other way round (G23). */
const stampsOf = (record: Record): ReadonlyArray<string> =>
  (["created_at", "updated_at", "closed_at", "deleted_at", "undeleted_at"] as const).flatMap(
    key => IssueRecord.text(record, key) ?? []
  )

// ---------------------------------------------------------------------------------------------------------------------
// Creating, and applying edits
// ---------------------------------------------------------------------------------------------------------------------

/** A new issue of this id, with its first dependencies. */
export const create = (
  input: Issue.NewIssue,
  id: string,
  context: ChangeContext,
  dependencies: ReadonlyArray<{ readonly dependsOnId: string; readonly type: string }> = []
): Record => {
  const at = stamp(context.at, context.seen)
  const labels = [...new Set(input.labels)].sort(byBytes).map(JsonText.encodeString)
  const links = dependencies.map(({ dependsOnId, type }) =>
    encodeDependency({ issueId: id, dependsOnId, type, at, actor: context.actor })
  )
  const status = input.status ?? "open"
  const text = (value: string | undefined) => (value ? JsonText.encodeString(value) : undefined)
  const values: { readonly [key in IssueRecord.Key]?: string | undefined } = {
    id: JsonText.encodeString(id),
    title: JsonText.encodeString(input.title),
    description: text(input.description),
    design: text(input.design),
    acceptance_criteria: text(input.acceptance_criteria),
    notes: text(input.notes),
    status: JsonText.encodeString(status),
    priority: String(input.priority ?? Issue.defaultPriority),
    issue_type: JsonText.encodeString(input.issue_type ?? "task"),
    assignee: text(input.assignee),
    estimated_minutes: input.estimated_minutes === undefined ? undefined : String(input.estimated_minutes),
    created_at: JsonText.encodeString(at),
    created_by: text(context.actor),
    updated_at: JsonText.encodeString(at),
    closed_at: status === "closed" ? JsonText.encodeString(at) : undefined,
    external_ref: text(input.external_ref),
    labels: labels.length === 0 ? undefined : JsonText.encodeArray(labels),
    dependencies: links.length === 0 ? undefined : JsonText.encodeArray(links)
  }
  return IssueRecord.make(
    id,
    IssueRecord.keyOrder.flatMap(key => {
      const value = values[key]
      return value === undefined ? [] : [{ key, value }]
    })
  )
}

/** Makes edits as one change, with one stamp; the same record if they change nothing. */
export const apply = (record: Record, context: ChangeContext, ...edits: ReadonlyArray<Edit>): Record => {
  const at = stamp(context.at, [...stampsOf(record), ...(context.seen ?? [])])
  let after = record
  for (const edit of edits) after = edit(after, { ...context, at })
  return after === record ? record : IssueRecord.set(after, "updated_at", JsonText.encodeString(at))
}

// ---------------------------------------------------------------------------------------------------------------------
// Fields
// ---------------------------------------------------------------------------------------------------------------------

/** Some producers write `null` for what they do not set. */
const isAbsent = (record: Record, key: IssueRecord.Key): boolean => (IssueRecord.get(record, key) ?? "null") === "null"

/** Sets a text field by value, however the same text is written in the line; an empty text takes the key out. */
const setText = (record: Record, key: IssueRecord.Key, value: string | undefined): Record => {
  const current = isAbsent(record, key) ? "" : IssueRecord.text(record, key)
  if (current === (value ?? "")) return record
  return IssueRecord.set(record, key, value ? JsonText.encodeString(value) : undefined)
}

const setNumber = (record: Record, key: IssueRecord.Key, value: number | null): Record => {
  const current = isAbsent(record, key) ? null : IssueRecord.number(record, key)
  return current === value ? record : IssueRecord.set(record, key, value === null ? undefined : String(value))
}

/** `status`, `closed_at` and `close_reason` as one. A deleted issue has no other status until it is undeleted. */
const setStatus = (record: Record, status: string, at: string, reason?: string): Record => {
  if (Issue.isTombstone(record) || IssueRecord.text(record, "status") === status) return record
  const isClosed = status === "closed"
  let after = setText(record, "status", status)
  after = setText(after, "closed_at", isClosed ? at : undefined)
  return setText(after, "close_reason", isClosed ? reason : undefined)
}

const textFields = [
  "title",
  "description",
  "design",
  "acceptance_criteria",
  "notes",
  "issue_type",
  "assignee",
  "external_ref"
] as const

/** Sets and clears fields. */
export const update =
  (change: Issue.IssueUpdate): Edit =>
  (record, { at }) => {
    let after = record
    for (const key of textFields) {
      const value = change[key]
      if (value !== undefined) after = setText(after, key, value)
    }
    if (change.priority !== undefined) after = setNumber(after, "priority", change.priority)
    if (change.estimated_minutes !== undefined) after = setNumber(after, "estimated_minutes", change.estimated_minutes)
    return change.status === undefined ? after : setStatus(after, change.status, at)
  }

/** Adds a paragraph to the notes. */
export const appendNotes =
  (text: string): Edit =>
  record => {
    if (text === "") return record
    const notes = IssueRecord.text(record, "notes") ?? ""
    return setText(record, "notes", notes === "" ? text : `${notes}\n${text}`)
  }

/** Closes an issue. One that is closed keeps the time and the reason of its first closing. */
export const close =
  (reason?: string): Edit =>
  (record, { at }) =>
    setStatus(record, "closed", at, reason)

/** Opens an issue that was closed, or is in any other state but deleted. */
export const reopen: Edit = (record, { at }) => setStatus(record, "open", at)

/** Deletes an issue: a tombstone stays, with all its other fields (G23). */
export const remove =
  (reason?: string): Edit =>
  (record, { actor, at }) => {
    if (Issue.isTombstone(record)) return record
    let after = setText(record, "status", "tombstone")
    after = setText(after, "deleted_at", at)
    after = setText(after, "deleted_by", actor)
    after = setText(after, "delete_reason", reason)
    return setText(after, "original_type", IssueRecord.text(record, "issue_type"))
  }

/** Brings a deleted issue back. `undeleted_at` stays in the line for good: it is what outdoes stale tombstones. */
export const undelete: Edit = (record, { at }) => {
  if (!Issue.isTombstone(record)) return record
  let after = setText(record, "status", IssueRecord.text(record, "closed_at") ? "closed" : "open")
  for (const key of ["deleted_at", "deleted_by", "delete_reason", "original_type"] as const) {
    after = IssueRecord.set(after, key, undefined)
  }
  return setText(after, "undeleted_at", at)
}

// ---------------------------------------------------------------------------------------------------------------------
// Labels
// ---------------------------------------------------------------------------------------------------------------------

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const setElements = (record: Record, key: IssueRecord.Key, elements: ReadonlyArray<string>): Record =>
  IssueRecord.set(record, key, elements.length === 0 ? undefined : JsonText.encodeArray(elements))

const without = (record: Record, key: IssueRecord.Key, drop: (element: string) => boolean): Record => {
  const elements = IssueRecord.elements(record, key)
  const kept = elements.filter(element => !drop(element))
  return kept.length === elements.length ? record : setElements(record, key, kept)
}

/** Adds labels. Sorted ones stay sorted; others' order is left alone. */
export const addLabels =
  (labels: Iterable<string>): Edit =>
  record => {
    const present = Issue.labelsOf(record)
    const added = [...new Set(labels)].filter(label => !present.includes(label)).sort(byBytes)
    if (added.length === 0) return record
    const elements = [...IssueRecord.elements(record, "labels"), ...added.map(JsonText.encodeString)]
    const wasSorted = present.every((label, i) => i === 0 || byBytes(present[i - 1] ?? "", label) <= 0)
    if (wasSorted) {
      const text = (element: string) => JsonText.decodeString(element) ?? ""
      elements.sort((a, b) => byBytes(text(a), text(b)))
    }
    return setElements(record, "labels", elements)
  }

/** Adds a label. */
export const addLabel = (label: string): Edit => addLabels([label])

/** Removes labels. */
export const removeLabels = (labels: Iterable<string>): Edit => {
  const gone = new Set(labels)
  return record =>
    without(record, "labels", element => {
      const label = JsonText.decodeString(element)
      return label !== undefined && gone.has(label)
    })
}

/** Removes a label. */
export const removeLabel = (label: string): Edit => removeLabels([label])

/** Makes these the labels of the issue. */
export const setLabels = (labels: Iterable<string>): Edit => {
  const wanted = new Set(labels)
  return (record, context) => {
    const gone = Issue.labelsOf(record).filter(label => !wanted.has(label))
    return addLabels(wanted)(removeLabels(gone)(record, context), context)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Dependencies
// ---------------------------------------------------------------------------------------------------------------------

const encodeDependency = (dependency: {
  readonly issueId: string
  readonly dependsOnId: string
  readonly type: string
  readonly at: string
  readonly actor: string
}): string =>
  JsonText.encodeObject([
    { key: "issue_id", value: JsonText.encodeString(dependency.issueId) },
    { key: "depends_on_id", value: JsonText.encodeString(dependency.dependsOnId) },
    { key: "type", value: JsonText.encodeString(dependency.type) },
    { key: "created_at", value: JsonText.encodeString(dependency.at) },
    { key: "created_by", value: JsonText.encodeString(dependency.actor) }
  ])

/** A string member of an element that is an object. */
const member = (element: string, key: string): string | undefined =>
  JsonText.kind(element) === "object"
    ? JsonText.decodeString(JsonText.members(element).findLast(member => member.key === key)?.value)
    : undefined

const isLink = (element: string, dependsOnId: string, type: string | undefined): boolean =>
  member(element, "depends_on_id") === dependsOnId && (type === undefined || member(element, "type") === type)

/** Makes the issue depend on another. */
export const addDependency =
  (dependsOnId: string, type: string): Edit =>
  (record, { actor, at }) => {
    const elements = IssueRecord.elements(record, "dependencies")
    if (elements.some(element => isLink(element, dependsOnId, type))) return record
    const link = encodeDependency({ issueId: record.id, dependsOnId, type, at, actor })
    return setElements(record, "dependencies", [...elements, link])
  }

/** Ends a dependency; without a type, of whatever types there are. */
export const removeDependency =
  (dependsOnId: string, type?: string): Edit =>
  record =>
    without(record, "dependencies", element => isLink(element, dependsOnId, type))

/** Makes the issue a child of `parent` alone; of none, if it is empty. */
export const setParent =
  (parent: string): Edit =>
  (record, context) => {
    const after = without(
      record,
      "dependencies",
      element => member(element, "type") === "parent-child" && member(element, "depends_on_id") !== parent
    )
    return parent === "" ? after : addDependency(parent, "parent-child")(after, context)
  }

// ---------------------------------------------------------------------------------------------------------------------
// Comments
// ---------------------------------------------------------------------------------------------------------------------

/** Adds a comment, by the actor unless another author is named. */
export const addComment =
  (text: string, author?: string): Edit =>
  (record, { actor, at }) => {
    let highest = 0
    for (const { id } of Issue.commentsOf(record)) if (Number.isSafeInteger(id)) highest = Math.max(highest, id)
    const comment = JsonText.encodeObject([
      { key: "id", value: String(highest + 1) },
      { key: "issue_id", value: JsonText.encodeString(record.id) },
      { key: "author", value: JsonText.encodeString(author ?? actor) },
      { key: "text", value: JsonText.encodeString(text) },
      { key: "created_at", value: JsonText.encodeString(at) }
    ])
    return setElements(record, "comments", [...IssueRecord.elements(record, "comments"), comment])
  }
