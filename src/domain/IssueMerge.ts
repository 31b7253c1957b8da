/**
 * The merge of one issue: any number of versions of its line and the ancestor they descend from, as far as it is known
 * (G22–G24).
 *
 * Whoever merges gets the same bytes: the result depends on the set of versions alone, never on their order or on the
 * time of merging, and merging it again with any of them gives it back. Every choice here must keep that, which is why
 * winners are found by what a version says, ties by the value in question and never by the whole line.
 *
 * Pure; what becomes of the result, and where ancestors come from, is the caller's business.
 */
import * as Instant from "./Instant.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"
import * as MergeOrder from "./MergeOrder.ts"

type Fields = ReadonlyMap<string, string>

/** A version, taken apart. */
interface Version {
  readonly record: IssueRecord.IssueRecord
  readonly line: string
  /** The keys in line order, each once, without the local ones. */
  readonly keys: ReadonlyArray<string>
  /** The values as source text. Of a key that stands twice the last counts. */
  readonly fields: Fields
  /** All that the line says, without local keys and white space between members. */
  readonly content: string
  readonly updatedAt: bigint | undefined
  readonly undeletedAt: bigint | undefined
  readonly isDeleted: boolean
  /** Of a deleted version only: a live line may have a stray `deleted_at`, which deletes nothing. */
  readonly deletedAt: bigint | undefined
}

const timeKeys: ReadonlySet<string> = new Set(["created_at", "updated_at", "closed_at", "deleted_at", "undeleted_at"])

const statusUnit = ["status", "closed_at", "close_reason"] as const
const closingUnit = ["closed_at", "close_reason"] as const
const deletionUnit = ["deleted_at", "deleted_by", "delete_reason", "original_type"] as const

/** Keys that are not merged as a value of their own. */
const joinedKeys: ReadonlySet<string> = new Set([
  ...statusUnit,
  ...deletionUnit,
  "updated_at",
  "undeleted_at",
  "renamed_to"
])

const instantOf = (value: string | undefined): bigint | undefined => Instant.parse(JsonText.decodeString(value))

const isTombstone = (fields: Fields): boolean => JsonText.decodeString(fields.get("status")) === "tombstone"

const take = (record: IssueRecord.IssueRecord): Version => {
  const fields = new Map<string, string>()
  for (const { key, value } of record.members) {
    if (IssueRecord.localKeys.has(key)) continue
    fields.delete(key)
    fields.set(key, value)
  }
  const keys = [...fields.keys()]
  const content = contentOf(keys, fields)
  const updatedAt = instantOf(fields.get("updated_at"))
  const isDeleted = isTombstone(fields)
  if (isDeleted && updatedAt !== undefined && instantOf(fields.get("deleted_at")) === undefined) {
    // said outright, or the time of deletion would move with the next edit of the tombstone
    fields.set("deleted_at", fields.get("updated_at") ?? "null")
  }
  return {
    record,
    line: IssueRecord.line(record),
    keys,
    fields,
    content,
    updatedAt,
    undeletedAt: instantOf(fields.get("undeleted_at")),
    isDeleted,
    deletedAt: isDeleted ? instantOf(fields.get("deleted_at")) : undefined
  }
}

const membersOf = (keys: ReadonlyArray<string>, fields: Fields): ReadonlyArray<JsonText.Member> =>
  keys.flatMap(key => {
    const value = fields.get(key)
    return value === undefined ? [] : [{ key, value }]
  })

const contentOf = (keys: ReadonlyArray<string>, fields: Fields): string =>
  JsonText.encodeObject(membersOf(keys, fields))

const latest = (instants: ReadonlyArray<bigint | undefined>): bigint | undefined =>
  instants.reduce((a, b) => (Instant.order(a, b) < 0 ? b : a), undefined)

// ---------------------------------------------------------------------------------------------------------------------
// The rule for everything that is one value
// ---------------------------------------------------------------------------------------------------------------------

/** What one version says in one matter. */
interface Claim<out A> {
  /** Equal for equal values, however they are written. */
  readonly value: string
  readonly text: string
  /** When the version was changed last. */
  readonly at: bigint | undefined
  readonly of: A
}

/** The three-way choice between texts that mean the same: one that is not the ancestor's, and of those the greatest. */
const chooseText = <A extends { readonly text: string }>(base: string | undefined, choices: ReadonlyArray<A>): A => {
  const changed = choices.filter(choice => choice.text !== base)
  return (changed.length > 0 ? changed : choices).reduce((a, b) => (MergeOrder.compareText(a.text, b.text) < 0 ? b : a))
}

/**
 * The three-way choice between claims: what differs from the ancestor, of that the latest, ties by the greater value.
 * Without an ancestor all differ.
 */
const choose = <A>(
  base: Pick<Claim<unknown>, "value" | "text"> | undefined,
  claims: ReadonlyArray<Claim<A>>
): Claim<A> => {
  const changed = claims.filter(claim => claim.value !== base?.value)
  if (changed.length === 0) return chooseText(base?.text, claims)
  return changed.reduce((a, b) => {
    const order =
      Instant.order(a.at, b.at) || MergeOrder.compareText(a.value, b.value) || MergeOrder.compareText(a.text, b.text)
    return order < 0 ? b : a
  })
}

/** The value of a key for comparison; empty, and so the least, if it is absent. Times compare by instant. */
const comparable = (key: string, text: string | undefined): string => {
  if (text === undefined) return ""
  const instant = timeKeys.has(key) ? instantOf(text) : undefined
  return instant === undefined ? JsonText.canonical(text) : `@${instant}`
}

const separator = "\u0000"

/** What a version says in the keys of a unit. */
const claim = (version: Version, unit: ReadonlyArray<string>): Claim<Fields> => ({
  value: unit.map(key => comparable(key, version.fields.get(key))).join(separator),
  text: unit.map(key => version.fields.get(key) ?? "").join(separator),
  at: version.updatedAt,
  of: version.fields
})

/** The fields of the version that wins a unit. */
const winner = (base: Version | undefined, versions: ReadonlyArray<Version>, unit: ReadonlyArray<string>): Fields =>
  choose(
    base && claim(base, unit),
    versions.map(version => claim(version, unit))
  ).of

// ---------------------------------------------------------------------------------------------------------------------
// Arrays that are sets: labels, dependencies, comments
// ---------------------------------------------------------------------------------------------------------------------

interface Element {
  readonly identity: string
  /** For the order of elements that no version has put in order. */
  readonly createdAt: bigint | undefined
  readonly name: string
  /** All it says but the number of a comment, for comparison. */
  readonly value: string
  /** All it says but the number of a comment and white space, as it was written. */
  readonly form: string
  /** The integer of a comment, which is unique in its line and means nothing beyond. */
  readonly number: bigint | undefined
  readonly text: string
}

const integer = /^-?\d+$/

const bare = (text: string, identity: string): Element => ({
  identity,
  createdAt: undefined,
  name: JsonText.decodeString(text) ?? identity,
  value: identity,
  form: text,
  number: undefined,
  text
})

/** An element that is an object, known by what `identify` takes from its fields. */
const structured =
  (identify: (fields: Fields) => ReadonlyArray<string>, isNumbered: boolean) =>
  (text: string): Element => {
    if (JsonText.kind(text) !== "object") return bare(text, JsonText.canonical(text))
    const members = JsonText.members(text)
    const fields = new Map(members.map(({ key, value }) => [key, value]))
    const id = fields.get("id")
    const number = isNumbered && id !== undefined && integer.test(id) ? BigInt(id) : undefined
    const content = number === undefined ? members : members.filter(({ key }) => key !== "id")
    const identity = identify(fields).join(separator)
    return {
      identity,
      createdAt: instantOf(fields.get("created_at")),
      name: identity,
      value: JsonText.canonical(
        JsonText.encodeObject(
          content.map(({ key, value }) => ({ key, value: JsonText.encodeString(comparable(key, value)) }))
        )
      ),
      form: number === undefined ? JsonText.encodeObject(members) : numbered(members, 0n),
      number,
      text
    }
  }

const numbered = (members: ReadonlyArray<JsonText.Member>, number: bigint): string =>
  JsonText.encodeObject(members.map(({ key, value }) => ({ key, value: key === "id" ? `${number}` : value })))

/** The arrays that merge as sets, and what makes two of their elements the same (bd-contract.md). */
const setKeys: ReadonlyMap<string, (text: string) => Element> = new Map([
  ["labels", text => bare(text, JsonText.canonical(text))],
  ["dependencies", structured(fields => ["depends_on_id", "type"].map(key => comparable(key, fields.get(key))), false)],
  [
    "comments",
    structured(fields => ["author", "created_at", "text"].map(key => comparable(key, fields.get(key))), true)
  ]
])

/** The elements of a set; `undefined` if the value is none. Absent and `null` are empty. */
const readSet = (
  text: string | undefined,
  read: (text: string) => Element
): ReadonlyMap<string, Element> | undefined => {
  if (text === undefined || JsonText.kind(text) === "null") return new Map()
  if (JsonText.kind(text) !== "array") return undefined
  const elements = JsonText.elements(text).map(read)
  return new Map(elements.map(element => [element.identity, element]))
}

const greater = (a: bigint, b: bigint): bigint => {
  if (a < b) return b
  return a
}

const compareElements = (a: Element | undefined, b: Element | undefined): number =>
  Instant.order(a?.createdAt, b?.createdAt) ||
  MergeOrder.compareText(a?.name ?? "", b?.name ?? "") ||
  MergeOrder.compareText(a?.identity ?? "", b?.identity ?? "")

/**
 * A number for each comment that has one: the greatest that a version gives it, and where two have the same, further
 * numbers for all but the first (an ancestor's comment comes first). A new number is greater than all in use, so that
 * merging again keeps it.
 */
const assignNumbers = (
  elements: ReadonlyArray<Element>,
  says: (identity: string) => ReadonlyArray<Element>,
  base: ReadonlyMap<string, Element>
): ReadonlyMap<string, bigint> => {
  const wanted = elements.flatMap(({ identity, number }) => {
    if (number === undefined) return []
    const numbers = says(identity).flatMap(element => element.number ?? [])
    return [{ identity, number: numbers.reduce(greater, number) }]
  })
  let last = wanted.map(({ number }) => number).reduce(greater, 0n)
  const isOld = (identity: string, number: bigint) => base.get(identity)?.number === number
  const taken = new Set<bigint>()
  const out = new Map<string, bigint>()
  for (const old of [true, false]) {
    for (const { identity, number } of wanted) {
      if (isOld(identity, number) !== old) continue
      const free = taken.has(number) ? ++last : number
      taken.add(free)
      out.set(identity, free)
    }
  }
  return out
}

/**
 * A set: each element is one value, absence the least. So what is new on any side stays, a removal wins over an
 * unchanged element, and between a removal and a change of the element the later decides. Without an ancestor sets unite.
 * `undefined`: the key is absent.
 */
const mergeSet = (
  key: string,
  read: (text: string) => Element,
  base: Version | undefined,
  versions: ReadonlyArray<Version>
): string | undefined => {
  const sides = versions.flatMap(version => {
    const text = version.fields.get(key)
    const set = readSet(text, read)
    return set === undefined ? [] : [{ version, text, set }]
  })
  // another tool's idea of the key: then it is a value like any other
  if (sides.length < versions.length) return winner(base, versions, [key]).get(key)
  const ancestors = readSet(base?.fields.get(key), read) ?? new Map<string, Element>()

  const says = (identity: string) => sides.flatMap(({ set }) => set.get(identity) ?? [])
  const merged = new Map<string, Element>()
  for (const identity of new Set(sides.flatMap(({ set }) => [...set.keys()]))) {
    const ancestor = ancestors.get(identity)
    const claims = sides.map(({ set, version }) => {
      const element = set.get(identity)
      return { value: element?.value ?? "", text: element?.form ?? "", at: version.updatedAt, of: element }
    })
    const chosen =
      base === undefined
        ? choose(
            undefined,
            claims.filter(({ of }) => of !== undefined)
          ).of
        : choose({ value: ancestor?.value ?? "", text: ancestor?.form ?? "" }, claims).of
    if (chosen !== undefined) merged.set(identity, chosen)
  }
  if (merged.size === 0) {
    const empty = sides.filter(({ set }) => set.size === 0)
    if (empty.length === 0) return undefined
    return winner(
      base,
      empty.map(({ version }) => version),
      [key]
    ).get(key)
  }

  const order = MergeOrder.merge(
    sides.map(({ set }) => [...set.keys()].filter(identity => merged.has(identity))),
    (a, b) => compareElements(merged.get(a), merged.get(b))
  )
  const numbers = assignNumbers([...merged.values()].sort(compareElements), says, ancestors)
  const texts = order.flatMap(identity => {
    const element = merged.get(identity)
    if (element === undefined) return []
    const number = numbers.get(identity)
    const asWritten = says(identity).filter(({ form, number: n }) => form === element.form && n === number)
    if (asWritten.length > 0) return [chooseText(ancestors.get(identity)?.text, asWritten).text]
    return [number === undefined ? element.form : numbered(JsonText.members(element.form), number)]
  })
  const array = JsonText.encodeArray(texts)
  const asWritten = sides.flatMap(({ text }) =>
    text !== undefined && JsonText.kind(text) === "array" && JsonText.encodeArray(JsonText.elements(text)) === array
      ? [{ text }]
      : []
  )
  return asWritten.length > 0 ? chooseText(base?.fields.get(key), asWritten).text : array
}

// ---------------------------------------------------------------------------------------------------------------------
// The merge
// ---------------------------------------------------------------------------------------------------------------------

/** Whether an ancestor is deleted, and no version knows of that deletion or of an undeletion after it (G23). */
const isForgotten = (base: Version, versions: ReadonlyArray<Version>): boolean =>
  base.isDeleted &&
  versions.every(
    ({ isDeleted, deletedAt, undeletedAt }) =>
      (undeletedAt === undefined || Instant.order(undeletedAt, base.deletedAt) < 0) &&
      (!isDeleted || Instant.order(deletedAt, base.deletedAt) < 0)
  )

/** Whether a version turns back none of the times of its ancestor that only grow, and is sure to be alive or deleted. */
const isAhead = (version: Version, base: Version): boolean =>
  !isForgotten(base, [version]) &&
  !(version.isDeleted && Instant.order(version.undeletedAt, version.deletedAt) >= 0) &&
  Instant.order(version.updatedAt, base.updatedAt) >= 0 &&
  Instant.order(version.undeletedAt, base.undeletedAt) >= 0

/** Status, closing and deletion: decided together, for an issue either lives or not. */
const mergeLife = (base: Version | undefined, versions: ReadonlyArray<Version>): Fields => {
  const out = new Map<string, string>()
  const copy = (from: Fields, keys: ReadonlyArray<string>) => {
    for (const key of keys) {
      const value = from.get(key)
      if (value !== undefined) out.set(key, value)
    }
  }
  const deleted = versions.filter(({ isDeleted }) => isDeleted)
  const live = versions.filter(({ isDeleted }) => !isDeleted)
  const deletedAt = latest(deleted.map(version => version.deletedAt))
  const undeletedAt = latest(versions.map(version => version.undeletedAt))
  const isAlive = deleted.length === 0 || (undeletedAt !== undefined && Instant.order(undeletedAt, deletedAt) >= 0)

  copy(
    winner(
      base,
      versions.filter(version => version.undeletedAt === undeletedAt),
      ["undeleted_at"]
    ),
    ["undeleted_at"]
  )
  if (!isAlive) {
    const last = deleted.filter(version => version.deletedAt === deletedAt)
    copy(winner(base, last, deletionUnit), deletionUnit)
    copy(winner(base, deleted, ["status"]), ["status"])
    // that an issue was renamed is not forgotten by deleting its old id once more (G19)
    const renamed = deleted.filter(version => version.fields.has("renamed_to"))
    if (renamed.length > 0) copy(winner(base, renamed, ["renamed_to"]), ["renamed_to"])
    copy(winner(base, versions, closingUnit), closingUnit)
  } else if (live.length > 0) {
    copy(winner(base, live, statusUnit), statusUnit)
    // a stray deletion record of a live line is a value like any other; that of a tombstone goes with it
    copy(winner(base?.isDeleted === true ? undefined : base, live, deletionUnit), deletionUnit)
    copy(winner(base?.isDeleted === true ? undefined : base, live, ["renamed_to"]), ["renamed_to"])
  } else {
    copy(winner(base, versions, closingUnit), closingUnit)
    out.set("status", JsonText.encodeString(out.has("closed_at") ? "closed" : "open"))
  }
  return out
}

const compareKeys = (a: string, b: string): number =>
  IssueRecord.keyRank(a) - IssueRecord.keyRank(b) || MergeOrder.compareText(a, b)

/**
 * Merges versions of one issue (at least one, all of one id) against their ancestor, if it is known. Commutative and
 * idempotent. A result that says what one of the versions says is that version, its line kept byte for byte.
 */
export const merge = (
  base: IssueRecord.IssueRecord | undefined,
  versions: ReadonlyArray<IssueRecord.IssueRecord>
): IssueRecord.IssueRecord => {
  const ancestor = base && take(base)
  const distinct = [...new Map(versions.map(record => [IssueRecord.line(record), record])).values()].map(take)
  // a deletion is never merely an ancestor, or two stale lines would bring the issue back
  const all = ancestor !== undefined && isForgotten(ancestor, distinct) ? [...distinct, ancestor] : distinct
  const [first] = all
  if (first === undefined) throw new RangeError("there is no version to merge")
  if (all.length === 1) return first.record

  const fields = new Map(mergeLife(ancestor, all))
  const updatedAt = latest(all.map(version => version.updatedAt))
  const changedLast = all.filter(version => version.updatedAt === updatedAt)
  for (const key of new Set(all.flatMap(({ keys }) => keys))) {
    const readElement = setKeys.get(key)
    const value =
      readElement !== undefined
        ? mergeSet(key, readElement, ancestor, all)
        : key === "updated_at"
          ? winner(ancestor, changedLast, [key]).get(key)
          : joinedKeys.has(key)
            ? undefined
            : winner(ancestor, all, [key]).get(key)
    if (value !== undefined) fields.set(key, value)
  }

  const stamp = fields.get("updated_at")
  if (isTombstone(fields) && stamp !== undefined && instantOf(fields.get("deleted_at")) === undefined) {
    // a deletion without any time takes the merged one, as the next merge would read it
    if (instantOf(stamp) !== undefined) fields.set("deleted_at", stamp)
  }

  const sequences = all.map(({ keys }) => keys.filter(key => fields.has(key)))
  const placed = new Set(sequences.flat())
  const keys = MergeOrder.merge(
    [...sequences, ...[...fields.keys()].filter(key => !placed.has(key)).map(key => [key])],
    compareKeys
  )
  const content = contentOf(keys, fields)
  const asWritten = all.flatMap(version =>
    version.content === content ? [{ text: version.line, record: version.record }] : []
  )
  const merged =
    asWritten.length > 0
      ? chooseText(ancestor?.line, asWritten).record
      : IssueRecord.make(first.record.id, membersOf(keys, fields))

  // Where one side changed the issue and the other did not, nothing of the change is tidied up. Unless tidying up left
  // nothing of it: two such changes would make the ancestor again, and a repeated merge would decide otherwise.
  const [only, ...others] = all.filter(version => version.line !== ancestor?.line)
  return ancestor !== undefined &&
    only !== undefined &&
    others.length === 0 &&
    isAhead(only, ancestor) &&
    // where the issue went is no part of what the other side may leave out
    (only.fields.has("renamed_to") || !fields.has("renamed_to")) &&
    IssueRecord.line(merged) !== ancestor.line
    ? only.record
    : merged
}
