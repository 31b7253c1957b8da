/**
 * One version of an issue, exactly as its line holds it.
 *
 * This is what the store keeps, the merge joins and the issue file carries: the members of the line in their order,
 * each value as source text. Fields that this version does not know travel along untouched (G18). Typed access is by
 * `text`, `integer` and `instant`; the view that commands and embedders see is `Issue`.
 *
 * Pure; knows nothing of files or databases.
 */
import * as JsonText from "./JsonText.ts"

export interface IssueRecord {
  /** Identity of the issue; opaque. Never empty, free of NUL and of lone surrogates. */
  readonly id: string
  /** The members of the line, `id` included, in line order. */
  readonly members: ReadonlyArray<JsonText.Member>
  /** The line as it was read, without its terminator; `undefined` once anything was changed. */
  readonly source: string | undefined
}

/**
 * The order in which keys are written (bd-contract.md). A new key takes its place by this list; keys that are not on
 * it go to the end.
 */
export const keyOrder = [
  "id",
  "title",
  "description",
  "design",
  "acceptance_criteria",
  "notes",
  "status",
  "priority",
  "issue_type",
  "assignee",
  "estimated_minutes",
  "created_at",
  "created_by",
  "updated_at",
  "closed_at",
  "close_reason",
  "external_ref",
  "labels",
  "dependencies",
  "comments",
  "deleted_at",
  "deleted_by",
  "delete_reason",
  "original_type",
  "undeleted_at",
  "renamed_to"
] as const

/** A key that this version knows. */
export type Key = (typeof keyOrder)[number]

/** Keys that mean something on the machine that wrote them only: read, and dropped from a line that changes. */
export const localKeys: ReadonlySet<string> = new Set(["content_hash", "source_repo"])

const rankOf: ReadonlyMap<string, number> = new Map(keyOrder.map((key, rank) => [key, rank]))

/** The place of a key in `keyOrder`; unknown keys come last. */
export const keyRank = (key: string): number => rankOf.get(key) ?? keyOrder.length

/** A record of these members; its line is written anew, without the local keys. */
export const make = (id: string, members: ReadonlyArray<JsonText.Member>): IssueRecord => ({
  id,
  members: members.filter(member => !localKeys.has(member.key)),
  source: undefined
})

/** The line of a record, without terminator: as it was read, or compact if it was changed or made here. */
export const line = (self: IssueRecord): string => self.source ?? JsonText.oneLine(JsonText.encodeObject(self.members))

/** The source text of a key's value. Of a key that stands twice the last counts. */
export const get = (self: IssueRecord, key: string): string | undefined => {
  for (let i = self.members.length - 1; i >= 0; i--) {
    const member = self.members[i]
    if (member?.key === key) return member.value
  }
  return undefined
}

/** The value of a string field; `undefined` if it is absent or no string. */
export const text = (self: IssueRecord, key: Key): string | undefined => JsonText.decodeString(get(self, key))

/** The value of a number field; `undefined` if it is absent or no number. */
export const number = (self: IssueRecord, key: Key): number | undefined => JsonText.decodeNumber(get(self, key))

/** The elements of an array field as source text; none if it is absent or no array. */
export const elements = (self: IssueRecord, key: Key): ReadonlyArray<string> => {
  const value = get(self, key)
  return value !== undefined && JsonText.kind(value) === "array" ? JsonText.elements(value) : []
}

/**
 * Sets a key to a value given as JSON source text, or removes it (`undefined`). Order and presence of the other keys
 * stay; a new key goes to its place. A record that already has the value is returned as it is, so that no change stays
 * no change. Local keys leave a line that changes, and cannot be set.
 */
export const set = (self: IssueRecord, key: string, value: string | undefined): IssueRecord => {
  if (get(self, key) === value) return self
  const out: Array<JsonText.Member> = []
  const last = self.members.findLastIndex(member => member.key === key)
  self.members.forEach((member, i) => {
    if (member.key !== key) out.push(member)
    else if (i === last && value !== undefined) out.push({ key, value })
  })
  if (last === -1 && value !== undefined) {
    const rank = keyRank(key)
    const before = out.findLastIndex(member => rank === keyOrder.length || keyRank(member.key) < rank)
    out.splice(before + 1, 0, { key, value })
  }
  return make(key === "id" ? (JsonText.decodeString(value) ?? self.id) : self.id, out)
}
