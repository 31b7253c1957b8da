/**
 * The three-way merge of one issue (G22–G24): pure, commutative, idempotent, free of order.
 *
 * Units: each key by itself; `status`, `closed_at` and `close_reason` as one; labels, dependencies and comments as sets;
 * the deletion joined over all versions. Of values changed on several sides the later `updated_at` wins, ties by the
 * greater value, so that every clone decides alike. Values compare as JSON values and times as instants: another tool's
 * spelling of the same value is no change.
 */
import { createHash } from "node:crypto"
import * as Instant from "./Instant.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"
import * as MergeOrder from "./MergeOrder.ts"

type Record = IssueRecord.IssueRecord

const timeKeys: ReadonlySet<string> = new Set(["created_at", "updated_at", "closed_at", "deleted_at", "undeleted_at"])
const statusKeys = ["status", "closed_at", "close_reason"] as const
const deletionKeys = ["deleted_at", "deleted_by", "delete_reason", "original_type"] as const
const setKeys = ["labels", "dependencies", "comments"] as const
const handled: ReadonlySet<string> = new Set<string>([...statusKeys, ...setKeys, "id", "updated_at", "undeleted_at"])

/** What makes two source texts the same value; the empty string is absence, and the least. */
const canonicalOf = (key: string, text: string | undefined): string => {
  if (text === undefined) return ""
  const instant = timeKeys.has(key) ? Instant.sortable(JsonText.decodeString(text)) : ""
  return instant === "" ? JsonText.canonical(text) : instant
}

const instantOf = (record: Record, key: IssueRecord.Key): string => Instant.sortable(IssueRecord.text(record, key))

const isDead = (record: Record): boolean => IssueRecord.text(record, "status") === "tombstone"

/** One version's say on a unit: its time, the unit's value, and the texts that write it. */
interface Say<A> {
  readonly at: string
  readonly value: string
  /** Breaks ties between spellings of one value. */
  readonly spelling: string
  readonly unit: A
}

const greater = <A>(a: Say<A>, b: Say<A>): Say<A> => {
  if (a.at !== b.at) return a.at > b.at ? a : b
  if (a.value !== b.value) return a.value > b.value ? a : b
  return a.spelling >= b.spelling ? a : b
}

/** Three-way: a unit changed on one side keeps that change; changed on several, the latest wins. */
const decide = <A>(base: Say<A> | undefined, says: ReadonlyArray<Say<A>>): A | undefined => {
  const changed = base === undefined ? says : says.filter(say => say.value !== base.value)
  // equal values may be spelled anew: that is a change too, but a lesser one
  const respelled =
    changed.length > 0 || base === undefined ? changed : says.filter(say => say.spelling !== base.spelling)
  const [first, ...rest] = respelled
  return first === undefined ? base?.unit : rest.reduce(greater, first).unit
}

const say = <A>(at: string, values: ReadonlyArray<readonly [string, string | undefined]>, unit: A): Say<A> => ({
  at,
  value: JSON.stringify(values.map(([key, text]) => canonicalOf(key, text))),
  spelling: JSON.stringify(values.map(([, text]) => text ?? null)),
  unit
})

// ---------------------------------------------------------------------------------------------------------------------
// Sets
// ---------------------------------------------------------------------------------------------------------------------

const memberOf = (element: string, key: string): string | undefined =>
  JsonText.kind(element) === "object"
    ? JsonText.members(element).findLast(member => member.key === key)?.value
    : undefined

/** By what an element is the same in two versions. */
const identity = (key: (typeof setKeys)[number], element: string): string => {
  const part = (name: string) => canonicalOf(name, memberOf(element, name))
  if (JsonText.kind(element) !== "object") return JsonText.canonical(element)
  switch (key) {
    case "labels":
      return JsonText.canonical(element)
    case "dependencies":
      return JSON.stringify([part("depends_on_id"), part("type")])
    case "comments":
      return JSON.stringify([part("author"), part("created_at"), part("text")])
  }
}

/** Where an element that is new on several sides goes. */
const rank = (key: (typeof setKeys)[number], element: string): string =>
  key === "labels"
    ? identity(key, element)
    : canonicalOf("created_at", memberOf(element, "created_at")) + identity(key, element)

const mergeSet = (key: (typeof setKeys)[number], base: Record | undefined, versions: ReadonlyArray<Record>) => {
  const read = (record: Record) =>
    new Map(IssueRecord.elements(record, key).map(element => [identity(key, element), element]))
  const before = base === undefined ? undefined : read(base)
  const sides = versions.map(record => ({ at: instantOf(record, "updated_at"), elements: read(record) }))
  const kept = new Map<string, string>()
  for (const id of new Set(sides.flatMap(({ elements }) => [...elements.keys()]))) {
    const old = before?.get(id)
    if (old !== undefined && !sides.every(({ elements }) => elements.has(id))) continue
    const says = sides.flatMap(({ at, elements }) => {
      const element = elements.get(id)
      return element === undefined ? [] : [say(at, [["element", element]], element)]
    })
    const element = decide(old === undefined ? undefined : say("", [["element", old]], old), says)
    if (element !== undefined) kept.set(id, element)
  }
  const order = MergeOrder.merge(
    sides.map(({ elements }) => [...elements.keys()].filter(id => kept.has(id))),
    (a, b) => {
      const left = rank(key, kept.get(a) ?? "")
      const right = rank(key, kept.get(b) ?? "")
      return left < right ? -1 : left > right ? 1 : 0
    }
  )
  const elements = order.map(id => kept.get(id) ?? "")
  return key === "comments" ? renumber(elements, before) : elements
}

/** The integer of a comment is unique within its line: of equal ones, the base's or else the first by rank keeps it. */
const renumber = (comments: ReadonlyArray<string>, before: ReadonlyMap<string, string> | undefined) => {
  const numberOf = (element: string) => JsonText.decodeNumber(memberOf(element, "id"))
  const numbers = comments.map(numberOf)
  if (new Set(numbers).size === numbers.length) return comments
  const isOld = (element: string) => (before?.has(identity("comments", element)) === true ? 0 : 1)
  const ranked = [...comments].sort(
    (a, b) => isOld(a) - isOld(b) || (rank("comments", a) < rank("comments", b) ? -1 : 1)
  )
  const used = new Set<number | undefined>()
  let highest = numbers.reduce<number>((most, number) => Math.max(most, number ?? 0), 0)
  const renamed = new Map<string, string>()
  for (const element of ranked) {
    const number = numberOf(element)
    if (!used.has(number)) {
      used.add(number)
      continue
    }
    highest++
    renamed.set(
      element,
      JsonText.encodeObject(
        JsonText.members(element).map(member => (member.key === "id" ? { key: "id", value: String(highest) } : member))
      )
    )
  }
  return comments.map(element => renamed.get(element) ?? element)
}

// ---------------------------------------------------------------------------------------------------------------------
// The issue
// ---------------------------------------------------------------------------------------------------------------------

const isLocal = (member: JsonText.Member) => IssueRecord.localKeys.has(member.key)
const withoutLocal = (record: Record): ReadonlyArray<JsonText.Member> =>
  record.members.filter(member => !isLocal(member))
const contentOf = (record: Record): string => JsonText.encodeObject(withoutLocal(record))

/**
 * Merges versions of one issue. `base`: the version that all descend from; `undefined`: none is known, then the latest
 * version's fields win and sets unite. A single version, or a result that equals one, is given back as it is.
 */
export const merge = (base: Record | undefined, versions: ReadonlyArray<Record>): Record => {
  const distinct = [...new Map(versions.map(version => [IssueRecord.line(version), version])).values()].sort((a, b) =>
    IssueRecord.line(a) < IssueRecord.line(b) ? -1 : 1
  )
  const [first] = distinct
  if (first === undefined) throw new Error("merge needs a version")
  if (distinct.length === 1) return first

  const at = (record: Record) => instantOf(record, "updated_at")
  const values = new Map<string, string>()
  const put = (key: string, text: string | undefined) => {
    if (text !== undefined) values.set(key, text)
  }
  const says = (keys: ReadonlyArray<string>, of: ReadonlyArray<Record>) =>
    of.map(record => {
      const unit = keys.map(key => [key, IssueRecord.get(record, key)] as const)
      return say(at(record), unit, unit)
    })
  const unit = (keys: ReadonlyArray<string>, of: ReadonlyArray<Record>) => {
    const [before] = base === undefined ? [] : says(keys, [base])
    for (const [key, text] of decide(before, says(keys, of)) ?? []) put(key, text)
  }
  /** The latest of a time key; of equal instants the greater text. */
  const latest = (key: IssueRecord.Key, of: ReadonlyArray<Record>) =>
    of
      .map(record => ({ instant: instantOf(record, key), text: IssueRecord.get(record, key) }))
      .reduce((a, b) =>
        a.instant !== b.instant ? (a.instant > b.instant ? a : b) : (a.text ?? "") >= (b.text ?? "") ? a : b
      ).text

  put("id", JsonText.encodeString(first.id))
  for (const key of new Set(distinct.flatMap(record => withoutLocal(record).map(member => member.key)))) {
    if (!handled.has(key)) unit([key], distinct)
  }
  put("updated_at", latest("updated_at", distinct))
  put("undeleted_at", latest("undeleted_at", distinct))

  const dead = distinct.filter(isDead)
  const deletedAt = (record: Record) => instantOf(record, "deleted_at") || at(record)
  const deletion = dead.map(deletedAt).reduce((a, b) => Math.max(a, b), "")
  const undeletion = distinct.map(record => instantOf(record, "undeleted_at")).reduce((a, b) => Math.max(a, b), "")
  if (dead.length === 0) {
    unit(statusKeys, distinct)
  } else if (undeletion !== "" && undeletion >= deletion) {
    const live = distinct.filter(record => !isDead(record))
    if (live.length > 0) unit(statusKeys, live)
    for (const key of deletionKeys) values.delete(key)
    if (values.get("status") === undefined || values.get("status") === '"tombstone"') {
      put("closed_at", latest("closed_at", distinct))
      put("status", values.has("closed_at") ? '"closed"' : '"open"')
    }
  } else {
    unit(statusKeys, distinct)
    values.set("status", '"tombstone"')
    const winners = dead.filter(record => deletedAt(record) === deletion)
    const last = winners
      .map(record => {
        const keys = deletionKeys.map(key => [key, IssueRecord.get(record, key)] as const)
        return say("", keys, keys)
      })
      .reduce(greater)
    for (const [key, text] of last.unit) {
      values.delete(key)
      put(key, text)
    }
  }
  for (const key of setKeys) {
    const elements = mergeSet(key, base, distinct)
    const [empty] = distinct
      .map(record => IssueRecord.get(record, key))
      .filter(text => text !== undefined)
      .sort()
    if (elements.length > 0) put(key, JsonText.encodeArray(elements))
    else put(key, distinct.every(record => IssueRecord.elements(record, key).length === 0) ? empty : undefined)
  }

  const order = MergeOrder.merge(
    distinct.map(record => [...new Set(withoutLocal(record).map(member => member.key))].filter(key => values.has(key))),
    (a, b) => IssueRecord.keyRank(a) - IssueRecord.keyRank(b) || (a < b ? -1 : a > b ? 1 : 0)
  )
  const unordered = [...values.keys()].filter(key => !order.includes(key))
  let merged = IssueRecord.make(
    first.id,
    order.map(key => ({ key, value: values.get(key) ?? "null" }))
  )
  for (const key of unordered) merged = IssueRecord.set(merged, key, values.get(key))
  const line = contentOf(merged)
  return distinct.find(version => contentOf(version) === line) ?? merged
}

// ---------------------------------------------------------------------------------------------------------------------
// Created apart
// ---------------------------------------------------------------------------------------------------------------------

const second = 1_000_000_000n

/** Whether two versions of one id are two issues: created a second or more apart (G24). */
export const apart = (a: Record, b: Record): boolean => {
  const left = Instant.parse(IssueRecord.text(a, "created_at"))
  const right = Instant.parse(IssueRecord.text(b, "created_at"))
  if (left === undefined || right === undefined) return false
  return (left > right ? left - right : right - left) >= second
}

/** The id of the later of two issues created apart: from what no edit changes, so that every clone derives the same. */
const derivedId = (record: Record): string => {
  const hyphen = record.id.lastIndexOf("-")
  const prefix = hyphen > 0 ? record.id.slice(0, hyphen) : record.id
  const content = [record.id, instantOf(record, "created_at"), IssueRecord.text(record, "created_by") ?? ""].join("|")
  const digest = BigInt(`0x${createHash("sha256").update(content).digest("hex")}`)
  return `${prefix}-${(digest % 36n ** 8n).toString(36).padStart(8, "0")}`
}

/** A record under another id, in its links and comments too. */
const withId = (record: Record, id: string): Record => {
  const text = JsonText.encodeString(id)
  let out = IssueRecord.make(
    id,
    record.members.map(member => (member.key === "id" ? { key: "id", value: text } : member))
  )
  for (const key of ["dependencies", "comments"] as const) {
    const elements = IssueRecord.elements(out, key)
    if (elements.length === 0) continue
    const renamed = elements.map(element =>
      JsonText.kind(element) !== "object"
        ? element
        : JsonText.encodeObject(
            JsonText.members(element).map(member =>
              member.key === "issue_id" ? { key: "issue_id", value: text } : member
            )
          )
    )
    out = IssueRecord.set(out, key, JsonText.encodeArray(renamed))
  }
  return out
}

/**
 * Tells the issues that stand under one id apart, where no ancestor joins them. The earliest by (`created_at`,
 * `created_by`, `title`, line) keeps the id, and so do the versions created within a second of it; each other issue
 * gets an id derived from its content.
 */
export const splitApart = (
  records: ReadonlyArray<Record>
): ReadonlyArray<{ readonly from: string; readonly record: Record }> => {
  const keyed = records
    .map(record => ({
      record,
      key: [
        instantOf(record, "created_at"),
        IssueRecord.text(record, "created_by") ?? "",
        IssueRecord.text(record, "title") ?? "",
        IssueRecord.line(record)
      ]
    }))
    .sort((a, b) => {
      const at = a.key.findIndex((part, i) => part !== b.key[i])
      return at === -1 ? 0 : (a.key[at] ?? "") < (b.key[at] ?? "") ? -1 : 1
    })
  const [earliest] = keyed
  return keyed.map(({ record }) => ({
    from: record.id,
    record: earliest !== undefined && apart(earliest.record, record) ? withId(record, derivedId(record)) : record
  }))
}
