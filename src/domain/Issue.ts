/**
 * An issue as commands and embedders see it, and the rules for the values that are made here.
 *
 * `Issue` is a view, decoded from a record; it is never written back, changes go to the record (`IssueChange`). What
 * other producers wrote is shown as it is: a status or type unknown to this version is no error. `NewIssue` and
 * `IssueUpdate` are stricter: they describe what this version creates.
 *
 * Pure; knows nothing of files or databases.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"

/** `issue_id` depends on `depends_on_id`. Keys this version does not know come along. */
export interface Dependency {
  readonly issue_id: string
  readonly depends_on_id: string
  readonly type: string
  readonly created_at: string
  readonly created_by: string
}

/** A remark on an issue. `id` is unique within the issue only. */
export interface Comment {
  readonly id: number
  readonly issue_id: string
  readonly author: string
  readonly text: string
  readonly created_at: string
}

/** The fields of an issue, named as in its line. Time stamps are RFC 3339 text, as they were written. */
export interface Issue {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly design?: string | undefined
  readonly acceptance_criteria?: string | undefined
  readonly notes?: string | undefined
  readonly status: string
  readonly priority: number
  readonly issue_type: string
  readonly assignee?: string | undefined
  readonly estimated_minutes?: number | undefined
  readonly created_at: string
  readonly created_by?: string | undefined
  readonly updated_at: string
  readonly closed_at?: string | undefined
  readonly close_reason?: string | undefined
  readonly external_ref?: string | undefined
  readonly labels: ReadonlyArray<string>
  readonly dependencies: ReadonlyArray<Dependency>
  readonly comments: ReadonlyArray<Comment>
  readonly deleted_at?: string | undefined
  readonly deleted_by?: string | undefined
  readonly delete_reason?: string | undefined
  readonly original_type?: string | undefined
  readonly undeleted_at?: string | undefined
  readonly renamed_to?: string | undefined
  /** Fields that this version does not know, in line order. Numbers beyond 2^53 are rounded here, not in the line. */
  readonly extra: Readonly<Record<string, unknown>>
}

// ---------------------------------------------------------------------------------------------------------------------
// The view
// ---------------------------------------------------------------------------------------------------------------------

const knownKeys: ReadonlySet<string> = new Set(IssueRecord.keyOrder)

/** How deep a value may be nested to be shown; `JSON.stringify` runs out of stack at some thousand levels. */
const deepest = 500

const Char = { Quote: 34, OpenBracket: 91, Backslash: 92, CloseBracket: 93, OpenBrace: 123, CloseBrace: 125 } as const

/** Whether a character stands more than so often in a text: by the engine's own search, which looks at many at a time. */
const isOftener = (value: string, character: string, times: number): boolean => {
  let found = 0
  for (let at = value.indexOf(character); at !== -1; at = value.indexOf(character, at + 1)) {
    if (++found > times) return true
  }
  return false
}

const isTooDeep = (value: string): boolean => {
  // nearly no text has brackets enough; of either kind half as many as levels
  if (!isOftener(value, "[", deepest / 2) && !isOftener(value, "{", deepest / 2)) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < value.length; at++) {
    const char = value.charCodeAt(at)
    if (inString) {
      if (char === Char.Backslash) at++
      else if (char === Char.Quote) inString = false
    } else if (char === Char.Quote) inString = true
    else if ((char === Char.OpenBracket || char === Char.OpenBrace) && ++depth > deepest) return true
    else if (char === Char.CloseBracket || char === Char.CloseBrace) depth--
  }
  return false
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Decoded members; of a key that stands twice the last counts. `Object.fromEntries` defines properties, so that a key
 * `__proto__` is a key like any other.
 */
const decodeMembers = (members: ReadonlyArray<JsonText.Member>, levels: (key: string) => number): Fields =>
  Object.fromEntries(members.map(({ key, value }) => [key, decodeValue(value, levels(key))]))

/**
 * A value for output. One that is nested too deeply is opened so many levels; what is still too deep then stands there
 * as its source text.
 */
const decodeValue = (value: string, levels = 0): unknown => {
  if (!isTooDeep(value)) return JSON.parse(value)
  if (levels === 0) return value
  return JsonText.kind(value) === "array"
    ? JsonText.elements(value).map(element => decodeValue(element, levels - 1))
    : decodeMembers(JsonText.members(value), () => 0)
}

/** The fields of a record: at one stroke where it stands as one text. Known arrays are opened down to their elements. */
const fieldsOf = (record: IssueRecord.IssueRecord): Fields =>
  record.source !== undefined && !isTooDeep(record.source)
    ? JSON.parse(record.source)
    : decodeMembers(record.members, key => (knownKeys.has(key) ? 2 : 0))

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const objects = (value: unknown): ReadonlyArray<Fields> =>
  Array.isArray(value)
    ? value.filter(element => typeof element === "object" && element !== null && !Array.isArray(element))
    : []

const toDependency = (fields: Fields): Dependency => ({
  ...fields,
  issue_id: textOf(fields["issue_id"]),
  depends_on_id: textOf(fields["depends_on_id"]),
  type: textOf(fields["type"]),
  created_at: textOf(fields["created_at"]),
  created_by: textOf(fields["created_by"])
})

const toComment = (fields: Fields): Comment => ({
  ...fields,
  id: typeof fields["id"] === "number" ? fields["id"] : 0,
  issue_id: textOf(fields["issue_id"]),
  author: textOf(fields["author"]),
  text: textOf(fields["text"]),
  created_at: textOf(fields["created_at"])
})

const memberOf = (record: IssueRecord.IssueRecord, key: IssueRecord.Key): unknown => {
  const value = IssueRecord.get(record, key)
  return value === undefined ? undefined : decodeValue(value, 2)
}

const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter(element => typeof element === "string") : []

/** What is shown of the arrays of a line. */
export const arrays = {
  labels: texts,
  dependencies: (value: unknown) => objects(value).map(toDependency),
  comments: (value: unknown) => objects(value).map(toComment)
}

/** The labels of a record, in line order. */
export const labelsOf = (record: IssueRecord.IssueRecord): ReadonlyArray<string> =>
  arrays.labels(memberOf(record, "labels"))

/** The comments of a record, in line order. */
export const commentsOf = (record: IssueRecord.IssueRecord): ReadonlyArray<Comment> =>
  arrays.comments(memberOf(record, "comments"))

/** The dependencies of a record, in line order. */
export const dependenciesOf = (record: IssueRecord.IssueRecord): ReadonlyArray<Dependency> =>
  arrays.dependencies(memberOf(record, "dependencies"))

/** Whether the record is a deleted issue. */
export const isTombstone = (record: IssueRecord.IssueRecord): boolean =>
  IssueRecord.text(record, "status") === "tombstone"

const isExtra = (key: string): boolean => !knownKeys.has(key) && !IssueRecord.localKeys.has(key)

const extraOf = (fields: Fields): Fields => {
  const keys = Object.keys(fields).filter(isExtra)
  return Object.fromEntries(keys.map(key => [key, fields[key]]))
}

/** The view of a record. Never fails: a field that is missing or of another kind than expected shows its default. */
export const fromRecord = (record: IssueRecord.IssueRecord): Issue => {
  const fields = fieldsOf(record)
  const text = (key: IssueRecord.Key) => {
    const value = fields[key]
    return typeof value === "string" ? value : undefined
  }
  const number = (key: IssueRecord.Key) => {
    const value = fields[key]
    return typeof value === "number" && Number.isFinite(value) ? value : undefined
  }
  return {
    id: record.id,
    title: text("title") ?? "",
    description: text("description") ?? "",
    design: text("design"),
    acceptance_criteria: text("acceptance_criteria"),
    notes: text("notes"),
    status: text("status") ?? defaultStatus,
    priority: number("priority") ?? defaultPriority,
    issue_type: text("issue_type") ?? defaultType,
    assignee: text("assignee"),
    estimated_minutes: number("estimated_minutes"),
    created_at: text("created_at") ?? "",
    created_by: text("created_by"),
    updated_at: text("updated_at") ?? "",
    closed_at: text("closed_at"),
    close_reason: text("close_reason"),
    external_ref: text("external_ref"),
    labels: arrays.labels(fields["labels"]),
    dependencies: arrays.dependencies(fields["dependencies"]),
    comments: arrays.comments(fields["comments"]),
    deleted_at: text("deleted_at"),
    deleted_by: text("deleted_by"),
    delete_reason: text("delete_reason"),
    original_type: text("original_type"),
    undeleted_at: text("undeleted_at"),
    renamed_to: text("renamed_to"),
    extra: extraOf(fields)
  }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0)

/**
 * The object of `--json` output: keys in the order of the line, `description` always, other empty fields left out,
 * unknown fields at the end.
 */
export const toJson = (issue: Issue): Record<string, unknown> => {
  const known: Record<string, unknown> = {}
  for (const key of IssueRecord.keyOrder) {
    const value = issue[key]
    if (key === "description" || !isEmpty(value)) known[key] = value
  }
  const extra = Object.entries(issue.extra)
  return extra.length === 0 ? known : Object.fromEntries([...Object.entries(known), ...extra])
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------------------------------------------------

const shown = (value: string): string => {
  const characters = Array.from(value)
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : value)
}

/** A value that this version does not create. */
export class InvalidValue extends Schema.TaggedError<InvalidValue>()("InvalidValue", {
  field: Schema.String,
  value: Schema.String,
  /** What is accepted, as a phrase: `0–4 or P0–P4`. */
  rule: Schema.String
}) {
  override get message() {
    return `invalid ${this.field} ${shown(this.value)}: must be ${this.rule}`
  }
}

/** A dependency that would close a cycle among those that block. */
export class CycleFound extends Schema.TaggedError<CycleFound>()("CycleFound", {
  /** Each issue depends on the next; the last is the first again. */
  path: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the dependency would close a cycle: ${this.path.join(" → ")}`
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What is created here
// ---------------------------------------------------------------------------------------------------------------------

/** The statuses that this version sets. */
export const statuses = ["open", "in_progress", "blocked", "deferred", "closed"] as const

/** The types that this version sets. */
export const issueTypes = ["bug", "feature", "task", "epic", "chore"] as const

/** The types of dependency that this version makes. */
export const dependencyTypes = ["blocks", "parent-child", "related", "discovered-from"] as const

/** The priority of an issue that is given none. */
export const defaultPriority = 2

/** Of an issue whose line names none. */
export const defaultStatus = "open"

/** Of an issue whose line names none. */
export const defaultType = "task"

const rules: Readonly<Record<string, string>> = {
  title: "1–500 characters, not blank",
  status: `one of ${statuses.join(", ")}`,
  issue_type: `one of ${issueTypes.join(", ")}`,
  priority: "0–4 or P0–P4",
  estimated_minutes: "a whole number of minutes, 0 or more",
  labels: "labels of one character or more",
  label: "one character or more",
  comment: "one character or more",
  dependency_type: `one of ${dependencyTypes.join(", ")}`
}

/** The value that a field gets; `undefined` if it must not be given this one. */
type Check<A> = (given: unknown) => A | undefined

const text: Check<string> = given => (typeof given === "string" ? given : undefined)

const someText: Check<string> = given => text(given) || undefined

const title: Check<string> = given => {
  const words = text(given)
  // counted as people count, not in UTF-16 units; cut first, for titles of many megabytes
  const length = words === undefined ? 0 : Array.from(words.slice(0, 1001)).length
  return length >= 1 && length <= 500 && words?.trim() !== "" ? words : undefined
}

const oneOf =
  <A extends string>(known: ReadonlyArray<A>): Check<A> =>
  given =>
    known.find(value => value === given)

/** A number, or text that is one for `pattern`, whose group `digits` counts. */
const numeric =
  (pattern: RegExp): Check<number> =>
  given => {
    if (typeof given !== "number" && typeof given !== "string") return undefined
    const match = pattern.exec(String(given).trim())
    return match === null ? undefined : Number(match.groups?.["digits"])
  }

const priority = numeric(/^[Pp]?(?<digits>[0-4])$/)

// nine digits are 1,900 years
const minutes = numeric(/^(?<digits>\d{1,9})$/)

const labels: Check<ReadonlyArray<string>> = given => {
  if (!Array.isArray(given)) return undefined
  // holes, too
  const checked = Array.from(given, someText)
  return checked.every(label => label !== undefined) ? checked : undefined
}

/** An issue to be created. Priority and minutes are also taken as text (`"P1"`, `"30"`). */
export interface NewIssue {
  readonly title: string
  readonly description?: string | undefined
  readonly design?: string | undefined
  readonly acceptance_criteria?: string | undefined
  readonly notes?: string | undefined
  /** Default `open`. */
  readonly status?: (typeof statuses)[number] | undefined
  /** Default 2. */
  readonly priority?: number | undefined
  /** Default `task`. */
  readonly issue_type?: (typeof issueTypes)[number] | undefined
  readonly assignee?: string | undefined
  readonly estimated_minutes?: number | undefined
  readonly external_ref?: string | undefined
  readonly labels?: ReadonlyArray<string> | undefined
}

/** The fields to change. What is absent stays; an empty text and `null` clear a field. */
export interface IssueUpdate extends Partial<Omit<NewIssue, "title" | "estimated_minutes" | "labels">> {
  readonly title?: string | undefined
  readonly estimated_minutes?: number | null | undefined
}

/** A check for each field of `A`. */
type Checks<A> = { readonly [Field in keyof A]-?: Check<Exclude<A[Field], undefined>> }

const updateChecks: Checks<IssueUpdate> = {
  title,
  description: text,
  design: text,
  acceptance_criteria: text,
  notes: text,
  status: oneOf(statuses),
  priority,
  issue_type: oneOf(issueTypes),
  assignee: text,
  estimated_minutes: given => (given === null ? null : minutes(given)),
  external_ref: text
}

const newIssueChecks: Checks<NewIssue> = { ...updateChecks, estimated_minutes: minutes, labels }

const valueText = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value === undefined) return ""
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // what JSON cannot say: a bigint, an object that holds itself
    return typeof value
  }
}

const invalid = (field: string, given: unknown) =>
  Effect.fail(new InvalidValue({ field, value: valueText(given), rule: rules[field] ?? "text" }))

/** The fields that `input` has, each checked; by hand, since a schema takes longer to load than all else that creates. */
const decodeFields =
  <A extends object>(checks: Checks<A>, required: ReadonlyArray<keyof A & string>) =>
  (input: unknown): Effect.Effect<A, InvalidValue> =>
    Effect.suspend(() => {
      if (typeof input !== "object" || input === null || Array.isArray(input)) return invalid("issue", input)
      const given: Readonly<Record<string, unknown>> = { ...input }
      const fields: Record<string, unknown> = {}
      for (const [field, check] of Object.entries<Check<unknown>>(checks)) {
        const value = Object.hasOwn(given, field) ? given[field] : undefined
        if (value === undefined && !required.some(name => name === field)) continue
        const checked = check(value)
        if (checked === undefined) return invalid(field, value)
        fields[field] = checked
      }
      // each field of `A` has been through its check, and those that are required are there
      return Effect.succeed(fields as A)
    })

/** Checks an issue to be created; keys that are no fields are left out. */
export const decodeNewIssue = decodeFields<NewIssue>(newIssueChecks, ["title"])

/** Checks the fields to change; keys that are no fields are left out. */
export const decodeIssueUpdate = decodeFields<IssueUpdate>(updateChecks, [])

const decodeBy =
  <A>(field: string, check: Check<A>) =>
  (given: unknown): Effect.Effect<A, InvalidValue> =>
    Effect.suspend(() => {
      const checked = check(given)
      return checked === undefined ? invalid(field, given) : Effect.succeed(checked)
    })

/** Checks a label to be added. */
export const decodeLabel = decodeBy("label", someText)

/** Checks the text of a comment. */
export const decodeCommentText = decodeBy("comment", someText)

/** Checks the type of a dependency to be added. */
export const decodeDependencyType = decodeBy("dependency_type", oneOf(dependencyTypes))

/** A priority as people write it: `0`–`4`, `P0`–`P4`. */
export const decodePriority = decodeBy("priority", priority)
