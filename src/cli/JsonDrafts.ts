/**
 * Issues described in JSON: an object a line, one array of objects, or a single object over several lines. Pure.
 *
 * The fields are those of `--json`, and the words of the flags beside them. A field that is not known is refused: left
 * out in silence, a parent or a dependency would be missing and nobody told.
 */
import * as Either from "effect/Either"
import type { Draft } from "../tracker/Tracker.ts"
import * as DependencyText from "./DependencyText.ts"
import { nearest } from "./Nearest.ts"

/** An issue as described; the values of its fields are yet to be checked. */
export interface Described {
  /** `line 3`, `element 3`. */
  readonly place: string
  readonly draft: Draft
}

export interface Refused {
  readonly place: string
  readonly detail: string
}

/** The fields of a draft by the words that are taken for them. */
const words: Readonly<Record<string, string>> = {
  key: "key",
  id: "id",
  title: "title",
  description: "description",
  body: "description",
  design: "design",
  acceptance_criteria: "acceptance_criteria",
  acceptance: "acceptance_criteria",
  notes: "notes",
  status: "status",
  priority: "priority",
  issue_type: "issue_type",
  type: "issue_type",
  assignee: "assignee",
  estimated_minutes: "estimated_minutes",
  estimate: "estimated_minutes",
  external_ref: "external_ref",
  labels: "labels",
  label: "labels",
  parent: "parent",
  dependencies: "dependencies",
  deps: "dependencies",
  blocked_by: "blocked_by",
  blocks: "blocks"
}

/** Fields of an issue file's line that are no description of a new issue. */
const ofLines = new Set(
  "created_at created_by updated_at closed_at close_reason comments deleted_at deleted_by delete_reason original_type undeleted_at renamed_to".split(
    " "
  )
)

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

class Unusable extends Error {}

/** Texts: an array of them, or one with commas between. */
const listOf = (field: string, value: unknown): ReadonlyArray<string> => {
  const items = typeof value === "string" ? value.split(",") : value
  if (!Array.isArray(items) || !items.every(item => typeof item === "string")) {
    throw new Unusable(`invalid ${field} ${shown(value)}: must be an array of texts`)
  }
  return items.map(item => item.trim()).filter(item => item !== "")
}

/** A link: `ID`, `TYPE:ID`, or an object as in an issue file. */
const linkOf = (value: unknown): { readonly id: string; readonly type: string } => {
  if (typeof value === "string") return DependencyText.read(value.trim())
  if (isObject(value)) {
    const { depends_on_id, id = depends_on_id, type = "blocks", ...others } = value
    const [other] = Object.keys(others)
    if (other !== undefined) {
      throw new Unusable(`unknown field ${shown(other)} of a dependency; it has depends_on_id and type`)
    }
    if (typeof id === "string" && typeof type === "string") return { id, type }
  }
  throw new Unusable(`invalid dependency ${shown(value)}: must be "ID", "TYPE:ID" or {"depends_on_id", "type"}`)
}

const linksOf = (value: unknown) => {
  const items = typeof value === "string" ? listOf("dependencies", value) : value
  if (!Array.isArray(items)) throw new Unusable(`invalid dependencies ${shown(value)}: must be an array`)
  return items.map(linkOf)
}

/** The field that a word is taken for. */
const fieldOf = (word: string): string => {
  const name = word.toLowerCase().replaceAll("-", "_")
  if (Object.hasOwn(words, name)) return words[name] ?? name
  if (ofLines.has(name)) {
    throw new Unusable(`${name} is set by bd; the lines of another project's issue file are for bd import`)
  }
  const near = nearest(name, Object.keys(words))
  throw new Unusable(`unknown field ${shown(word)}${near === undefined ? "" : `; did you mean ${near}?`}`)
}

const draftOf = (value: unknown): Draft => {
  if (!isObject(value)) throw new Unusable(`an issue is an object, not ${shown(value)}`)
  const fields = new Map<string, unknown>()
  for (const [word, content] of Object.entries(value)) {
    const field = fieldOf(word)
    if (content === null) continue
    if (fields.has(field)) throw new Unusable(`${field} is given twice`)
    fields.set(field, content)
  }
  for (const field of ["key", "id", "parent"]) {
    const content = fields.get(field)
    if (content !== undefined && (typeof content !== "string" || content === "")) {
      throw new Unusable(`invalid ${field} ${shown(content)}: must be a text of one character or more`)
    }
  }
  const { blocked_by, blocks, dependencies, labels, ...rest } = Object.fromEntries(fields)
  const links = [
    ...(dependencies === undefined ? [] : linksOf(dependencies)),
    ...(blocked_by === undefined ? [] : listOf("blocked_by", blocked_by).map(id => ({ id, type: "blocks" })))
  ]
  return {
    // the values are checked where the issue is made
    ...(rest as unknown as Draft),
    ...(labels === undefined ? {} : { labels: listOf("labels", labels) }),
    ...(links.length === 0 ? {} : { dependencies: links }),
    ...(blocks === undefined ? {} : { blocks: listOf("blocks", blocks) })
  }
}

const described = (place: string, value: () => unknown): Either.Either<Described, Refused> => {
  try {
    return Either.right({ place, draft: draftOf(value()) })
  } catch (error) {
    if (error instanceof Unusable) return Either.left({ place, detail: error.message })
    return Either.left({ place, detail: "it is no JSON" })
  }
}

/** Whether a text is meant to be JSON. */
export const isMeant = (text: string): boolean => /^\s*[{[]/.test(text)

/** The issues of a text, in its order. */
export const issues = (text: string): ReadonlyArray<Either.Either<Described, Refused>> => {
  const lines = text.split(/\r?\n/)
  const single = () => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      return undefined
    }
  }
  const isWhole = text.trimStart().startsWith("[") || lines[0]?.trim() === "{"
  const whole = isWhole ? single() : undefined
  if (Array.isArray(whole)) return whole.map((value, i) => described(`element ${i + 1}`, () => value))
  if (whole !== undefined) return [described("line 1", () => whole)]
  return lines.flatMap((line, i) =>
    line.trim() === "" ? [] : [described(`line ${i + 1}`, () => JSON.parse(line) as unknown)]
  )
}
