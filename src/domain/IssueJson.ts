/**
 * The JSON of an issue, as `JSON.stringify` writes what `Issue.toJson` gives, straight from its line.
 *
 * Nearly every line says its fields just as the view shows them: known keys in their order, strings and numbers in the form
 * that `JSON.stringify` has for them. The values of such a line are taken as they stand, which takes a quarter of the time
 * of decoding and encoding them. A line that is not seen to be of this kind is left to the view. Pure.
 */
import * as Issue from "./Issue.ts"
import * as IssueRecord from "./IssueRecord.ts"

// no pattern can match one text in two ways, so that looking takes time in proportion to the line
const string = String.raw`"[^"\\]*(?:\\["\\bfnrt][^"\\]*)*"`
/** Whole numbers that are exact as a double. */
const number = String.raw`(?:0|[1-9]\d{0,14})`
/** Of values, or of objects of values: nothing deeper. */
const array = String.raw`\[(?:${string}|[^"{}[\]]|\{(?:${string}|[^"{}[\]])*\})*\]`

const patterns: { readonly [K in IssueRecord.Key]?: string } = {
  priority: number,
  estimated_minutes: number,
  labels: array,
  dependencies: array,
  comments: array
}

/** Where a line does not name them, the view has something to say. */
const required: ReadonlySet<string> = new Set(["id", "status", "priority", "issue_type"])

/** A whole line; each known key has one group, its value. The local keys stand where the classic tool writes them. */
const plainLine = new RegExp(
  `^\\{${IssueRecord.keyOrder
    .map((key, rank) => {
      const member = `${rank === 0 ? "" : ","}"${key}":(${patterns[key] ?? string})`
      const local =
        key === "id" ? `(?:,"content_hash":${string})?` : key === "external_ref" ? `(?:,"source_repo":${string})?` : ""
      return `${required.has(key) ? member : `(?:${member})?`}${local}`
    })
    .join("")}\\}$`
)

/** Longer lines would take much room to look at. */
const longest = 65_536

/** What Go writes escaped, and `JSON.stringify` does not; any other escape is passed over, so that none begins within one. */
const goEscapes = /\\(?:u003c|u003e|u0026|.)/g
const unescaped: Readonly<Record<string, string>> = { "\\u003c": "<", "\\u003e": ">", "\\u0026": "&" }

/** Members of an object that stands in a list. */
const indent = "    "

const shownArray: { readonly [K in IssueRecord.Key]?: (value: unknown) => ReadonlyArray<unknown> } = Issue.arrays

/** Text that stands in front of a value, and what becomes of it. */
const fields = IssueRecord.keyOrder.map(key => ({
  key,
  head: `${key === "id" ? "" : ",\n"}${indent}${JSON.stringify(key)}: `,
  shown: shownArray[key]
}))

/**
 * The members of the object that `JSON.stringify([Issue.toJson(issue)], undefined, 2)` has for the issue of this line, from
 * the first to the last; `undefined` if that must be asked.
 */
export const members = (line: string): string | undefined => {
  if (line.length > longest) return undefined
  const plain = line.includes("\\u00") ? line.replace(goEscapes, found => unescaped[found] ?? found) : line
  const values = plainLine.exec(plain)
  if (values === null) return undefined
  let text = ""
  for (let rank = 0; rank < fields.length; rank++) {
    const field = fields[rank]
    if (field === undefined) break
    const value = values[rank + 1] ?? '""'
    if (field.shown !== undefined) {
      const elements = value === '""' ? [] : field.shown(JSON.parse(value))
      if (elements.length > 0)
        text += field.head + JSON.stringify(elements, undefined, 2).replaceAll("\n", `\n${indent}`)
    } else if (value !== '""' || field.key === "description") text += field.head + value
  }
  return text
}
