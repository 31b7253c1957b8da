/**
 * The one codec between an issue and its line; every path that reads or writes a line goes through it (G18).
 *
 * A line is kept as the text it was read from, so what was not changed is written back byte for byte. What cannot be
 * read is told with its reason and never guessed at (G17). Pure; where the line stands is its caller's business.
 */
import { constants, isUtf8 } from "node:buffer"
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"

/** Why a line holds no issue, and what a person can do about it. Never quotes the line: its content is hostile (G33). */
export class Unreadable extends Data.TaggedClass("Unreadable")<{ readonly reason: string }> {}

/**
 * A line of the issue file cannot be read, so nothing is imported from the file and nothing published over it. Of another
 * file that is read, nothing is taken.
 */
export class UnreadableLine extends Schema.TaggedError<UnreadableLine>()("UnreadableLine", {
  path: Schema.String,
  /** Counted from 1. */
  line: Schema.Number,
  reason: Schema.String,
  /** What follows from it, where it is not the issue file that cannot be read. */
  outcome: Schema.optional(Schema.String)
}) {
  override get message() {
    const outcome =
      this.outcome ?? "The file is left as it is, and changes stay in the store until every line of it can be read"
    return `${this.path}, line ${this.line}: ${this.reason}. ${outcome}`
  }
}

const conflictMarker = /^(?:<{7}|\|{7}|={7}|>{7})/
const byteOrderMark = "\ufeff"

/** Whether the key `id` may stand there twice; a second one may be a key further in, or a string, or have escapes. */
const mayNameIdTwice = (text: string): boolean => {
  const first = text.indexOf('"id"')
  return text.indexOf('"id"', first + 1) !== -1 || text.includes("\\u006")
}

/** The text of a line's bytes. */
export const decodeText = (bytes: Uint8Array): string | Unreadable => {
  if (!isUtf8(bytes)) {
    return new Unreadable({ reason: "it is not UTF-8 text; save the file as UTF-8, or correct the damaged characters" })
  }
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    return new Unreadable({ reason: `it is longer than ${constants.MAX_STRING_LENGTH} bytes; shorten its texts` })
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")
}

/** Whether an id can be one: not empty, no NUL, text that UTF-8 can hold. */
const badId = (id: unknown): string | undefined => {
  if (id === undefined) return 'it has no "id"; restore the id of this issue'
  if (typeof id !== "string") return 'its "id" is not a string; put it in quotes'
  if (id === "") return 'its "id" is empty; restore the id of this issue'
  if (id.includes("\0")) return 'its "id" contains a NUL character; take that out'
  if (/[\ud800-\udfff]/u.test(id)) return 'its "id" contains half of a surrogate pair; correct that character'
  return undefined
}

/**
 * The id in a line's text, if the line is an issue that can be read in full. Cheaper than `decode`: the members are not
 * taken apart.
 */
export const decodeId = (text: string): string | Unreadable => {
  const unreadable = (reason: string) => new Unreadable({ reason })
  if (conflictMarker.test(text)) {
    return unreadable(
      "it is a git conflict marker; resolve the merge first: keep the issues of both sides, take out the marker lines, then run the command again"
    )
  }
  if (text.startsWith(byteOrderMark)) {
    return unreadable('it begins with a byte-order mark; save the file as "UTF-8 without BOM"')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const position = / at position (\d+)/.exec(String(error))?.[1]
    const where = position === undefined ? "" : ` (the trouble is at or before character ${Number(position) + 1})`
    return unreadable(`it is not valid JSON${where}; correct the line, or restore it from an earlier commit`)
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return unreadable("it is not a JSON object; each line holds one issue as { … }")
  }
  const id = Object.hasOwn(value, "id") ? (value as { readonly id: unknown }).id : undefined
  const bad = badId(id)
  if (bad !== undefined) return unreadable(bad)
  // a second id would be read differently by different tools; most lines name the key once and need no closer look
  if (mayNameIdTwice(text) && JsonText.members(text).filter(({ key }) => key === "id").length > 1) {
    return unreadable('it has the key "id" twice; keep one of them')
  }
  return id as string
}

/** Reads one line, given without its terminator. */
export const decode = (line: Uint8Array | string): IssueRecord.IssueRecord | Unreadable => {
  const text = typeof line === "string" ? JsonText.oneLine(line) : decodeText(line)
  if (typeof text !== "string") return text
  const id = decodeId(text)
  return typeof id === "string" ? { id, members: JsonText.members(text), source: text } : id
}

/** A class, since V8 keeps a layout of its own, and all that it leads to, for each object literal with a getter. */
class AcceptedRecord implements IssueRecord.IssueRecord {
  readonly id: string
  readonly source: string
  #members: ReadonlyArray<JsonText.Member> | undefined

  constructor(id: string, source: string) {
    this.id = id
    this.source = source
  }

  get members() {
    this.#members ??= JsonText.members(this.source)
    return this.#members
  }
}

/**
 * The record of a line that `decode` has accepted before, such as the store holds. Nothing is checked anew, and its
 * members are told apart when they are asked for.
 */
export const decodeAccepted = (id: string, line: string): IssueRecord.IssueRecord => new AcceptedRecord(id, line)

/** The line of an issue, without terminator: as it was read, or compact if it was changed or made here. */
export const encode = (record: IssueRecord.IssueRecord): string => IssueRecord.line(record)

/** Tells what `decode` gave. */
export const isUnreadable = (result: unknown): result is Unreadable => result instanceof Unreadable
