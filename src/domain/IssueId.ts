/**
 * Ids: how they are made, numbered below a parent, and found from what people type.
 *
 * An id is opaque: that it has no hyphen, or another prefix, makes it no less valid. What is read out of ids here
 * (prefix, hash part) serves convenience alone.
 *
 * Pure; whether an id is taken is the caller's knowledge.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidValue } from "./Issue.ts"

/** No issue has this id, or one that it abbreviates. */
export class IssueNotFound extends Schema.TaggedError<IssueNotFound>()("IssueNotFound", {
  /** As it was asked for. */
  id: Schema.String,
  /** There was an issue of just this id. */
  deleted: Schema.optional(Schema.Boolean)
}) {
  override get message() {
    return `no issue found matching ${JSON.stringify(this.id)}${this.deleted === true ? ": it was deleted" : ""}`
  }
}

/** An abbreviation that fits several issues. */
export class AmbiguousId extends Schema.TaggedError<AmbiguousId>()("AmbiguousId", {
  /** As it was asked for. */
  id: Schema.String,
  candidates: Schema.Array(Schema.String)
}) {
  override get message() {
    const some = this.candidates.slice(0, 10).join(", ")
    const more = this.candidates.length > 10 ? `, and ${this.candidates.length - 10} more` : ""
    return `${JSON.stringify(this.id)} matches ${this.candidates.length} issues: ${some}${more}; use more characters`
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// New ids
// ---------------------------------------------------------------------------------------------------------------------

/** Of the random part of new ids: the shortest and the longest. */
const minLength = 4
export const maxLength = 8

/** How likely it may be that two of the ids are equal. Low, for clones create apart. */
const maxCollisionProbability = 0.01

/** Nonces tried at each length before the id grows. */
const noncesPerLength = 10

/** The length of the hash part for a project of `count` issues: P = 1 − exp(−n² / 2·36^L) stays within the bound. */
export const hashLength = (count: number): number => {
  for (let length = minLength; length < maxLength; length++) {
    if (1 - Math.exp(-(count * count) / (2 * 36 ** length)) <= maxCollisionProbability) return length
  }
  return maxLength
}

/** The last `length` base-36 digits of the SHA-256 of a text. */
export const hash = (content: string, length: number): string => {
  const digest = createHash("sha256").update(content, "utf8").digest("hex")
  return (BigInt(`0x${digest}`) % 36n ** BigInt(length)).toString(36).padStart(length, "0")
}

/**
 * A new id. Title, description, actor and time make it unlike what another clone draws at the same moment. If it is
 * taken, first the nonce changes, then the length.
 */
export const generate = (options: {
  readonly prefix: string
  readonly title: string
  readonly description: string
  readonly actor: string
  /** The time of creation, since the epoch. */
  readonly nanoseconds: bigint
  /** How many issues there are, children not counted. */
  readonly count: number
  readonly taken: (id: string) => boolean
}): string => {
  const { actor, description, nanoseconds, prefix, title } = options
  const draw = (length: number, nonce: number) =>
    `${prefix}-${hash(`${title}|${description}|${actor}|${nanoseconds}|${nonce}`, length)}`
  for (let length = hashLength(options.count); length < maxLength; length++) {
    for (let nonce = 0; nonce < noncesPerLength; nonce++) {
      const id = draw(length, nonce)
      if (!options.taken(id)) return id
    }
  }
  // 36^8 ids: a free one turns up before a store could hold the others
  let nonce = 0
  while (options.taken(draw(maxLength, nonce))) nonce++
  return draw(maxLength, nonce)
}

// a line feed in an id would break every list; NUL and lone surrogates no store can hold
const unusable = /[\s\u0000-\u001f\u007f-\u009f\ud800-\udfff]/u

/** Checks an id that a user chose. */
export const decode = (id: string): Effect.Effect<string, InvalidValue> =>
  id === "" || unusable.test(id)
    ? Effect.fail(new InvalidValue({ field: "id", value: id, rule: "without white space, and not empty" }))
    : Effect.succeed(id)

// ---------------------------------------------------------------------------------------------------------------------
// Children
// ---------------------------------------------------------------------------------------------------------------------

/** How many levels there may be below a root. */
export const maxDepth = 3

const childSuffix = /(?:\.\d+)*$/

/** How deep an id stands: 0 for a root, 2 for `bd-a1b2.1.4`. */
export const depth = (id: string): number => (childSuffix.exec(id)?.[0] ?? "").split(".").length - 1

/**
 * The id of the next child. A number is never used twice: it follows the highest of `lastChild` (the counter, 0 if
 * there is none) and of the children that exist, tombstones included.
 */
export const childId = (
  parent: string,
  existing: Iterable<string>,
  lastChild = 0
): Effect.Effect<string, InvalidValue> => {
  if (depth(parent) >= maxDepth) {
    return Effect.fail(
      new InvalidValue({ field: "parent", value: parent, rule: `at most ${maxDepth - 1} levels deep` })
    )
  }
  return Effect.succeed(`${parent}.${Math.max(lastChild, highestChild(parent, existing)) + 1}`)
}

/** The highest number among the children of an issue; 0 if it has none. */
export const highestChild = (parent: string, existing: Iterable<string>): number => {
  let highest = 0
  for (const id of existing) {
    if (!id.startsWith(`${parent}.`)) continue
    const number = id.slice(parent.length + 1)
    // nobody counts to a billion: a longer number is another's idea, and would end the counting
    if (/^\d{1,9}$/.test(number)) highest = Math.max(highest, Number(number))
  }
  return highest
}

// ---------------------------------------------------------------------------------------------------------------------
// Prefixes
// ---------------------------------------------------------------------------------------------------------------------

/** What stands before the last hyphen; `undefined` if there is none. */
export const prefixOf = (id: string): string | undefined => {
  const hyphen = id.lastIndexOf("-")
  return hyphen > 0 ? id.slice(0, hyphen) : undefined
}

/** A prefix from the name of a directory; what would need quotes to be typed becomes a hyphen. `bd` if nothing is left. */
export const prefixFrom = (name: string): string => {
  const words = name.normalize("NFC").replace(/[^\p{L}\p{N}._-]+/gu, "-")
  const start = [...words.replace(/^[^\p{L}\p{N}_]+/u, "")].slice(0, 64).join("")
  return start.replace(/[-.]+$/, "") || "bd"
}

/** The commonest prefix, and of equally common ones the least; `undefined` if no id has one. */
export const commonestPrefix = (ids: Iterable<string>): string | undefined => {
  const counts = new Map<string, number>()
  for (const id of ids) {
    const prefix = prefixOf(id)
    if (prefix !== undefined) counts.set(prefix, (counts.get(prefix) ?? 0) + 1)
  }
  let best: readonly [string, number] | undefined
  for (const entry of counts) {
    if (best === undefined || entry[1] > best[1] || (entry[1] === best[1] && entry[0] < best[0])) best = entry
  }
  return best?.[0]
}

/** Whether an id is of this prefix. */
export const hasPrefix = (id: string, prefix: string): boolean => id.startsWith(`${prefix}-`)

// ---------------------------------------------------------------------------------------------------------------------
// Finding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The issue that is meant: the exact id, else the one whose hash part this is, else the only one that contains it.
 * `prefix`: of the project.
 */
export const resolve = (
  input: string,
  ids: Iterable<string>,
  prefix: string
): Effect.Effect<string, IssueNotFound | AmbiguousId> => {
  if (input === "") return Effect.fail(new IssueNotFound({ id: input }))
  const hashPart = (id: string) =>
    hasPrefix(id, prefix) ? id.slice(prefix.length + 1) : id.slice(id.lastIndexOf("-") + 1)
  const wanted = hasPrefix(input, prefix) ? input.slice(prefix.length + 1) : input
  const ofProject = `${prefix}-${wanted}`
  const equal: Array<string> = []
  const containing: Array<string> = []
  let isExact = false
  let isOfProject = false
  for (const id of ids) {
    if (id === input) isExact = true
    if (id === ofProject) isOfProject = true
    const part = hashPart(id)
    if (part === wanted) equal.push(id)
    // with a hyphen, more than the hash part was typed
    else if (wanted !== "" && (part.includes(wanted) || (input.includes("-") && id.includes(input))))
      containing.push(id)
  }
  if (isExact) return Effect.succeed(input)
  if (isOfProject) return Effect.succeed(ofProject)
  const candidates = (equal.length > 0 ? equal : containing).sort()
  const [only] = candidates
  if (only === undefined) return Effect.fail(new IssueNotFound({ id: input }))
  return candidates.length === 1 ? Effect.succeed(only) : Effect.fail(new AmbiguousId({ id: input, candidates }))
}
