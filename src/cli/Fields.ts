/** Lists with chosen fields only: `--fields`, `--brief`. Pure. */
import * as Effect from "effect/Effect"
import * as IssueRecord from "../domain/IssueRecord.ts"
import { InvalidFlag } from "./CliError.ts"
import * as Escape from "./Escape.ts"
import type { ListForms } from "./Output.ts"

/** What `--brief` gives. */
export const brief: ReadonlyArray<string> = ["id", "title", "status", "priority", "issue_type", "assignee"]

const known: ReadonlySet<string> = new Set([
  ...IssueRecord.keyOrder,
  "dependency_count",
  "dependent_count",
  "dependents",
  "blocked_by",
  "blocked_by_count"
])

/** Other words for fields. */
const names: Readonly<Record<string, string>> = { type: "issue_type", acceptance: "acceptance_criteria" }

/** The fields that were asked for, by their names in JSON. */
export const decode = (fields: ReadonlyArray<string> | undefined) =>
  fields === undefined
    ? Effect.succeed(undefined)
    : fields.length === 0
      ? Effect.fail(new InvalidFlag({ flag: "--fields", value: "", expected: "names of fields as in --json" }))
      : Effect.forEach(fields, field => {
          const name = Object.hasOwn(names, field) ? (names[field] ?? field) : field
          return known.has(name)
            ? Effect.succeed(name)
            : Effect.fail(new InvalidFlag({ flag: "--fields", value: field, expected: "names of fields as in --json" }))
        })

/** An issue with these fields only, in this order; one that it does not have is left out. */
export const pick = (fields: ReadonlyArray<string>, issue: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(fields.flatMap(field => (issue[field] === undefined ? [] : [[field, issue[field]] as const])))

/** How a list answers where fields may have been chosen; `forms` where none were. */
export const shaped = Effect.fnUntraced(function* <A>(
  flags: { readonly fields: ReadonlyArray<string> | undefined; readonly brief: boolean },
  forms: ListForms<A>
) {
  const fields = yield* decode(flags.fields)
  const chosen = fields ?? (flags.brief ? brief : undefined)
  return {
    json: (item: A) => (chosen === undefined ? forms.json(item) : pick(chosen, forms.json(item))),
    jsonText: chosen === undefined ? forms.jsonText : undefined,
    text: (items: ReadonlyArray<A>) =>
      fields === undefined ? forms.text(items) : items.map(item => line(fields, forms.json(item))).join("\n"),
    isLines: fields !== undefined || forms.isLines === true,
    drawn: fields === undefined ? forms.drawn : undefined
  }
})

const text = (value: unknown): string =>
  value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value)

/** The fields with tabs between them, in one line. */
export const line = (fields: ReadonlyArray<string>, issue: Readonly<Record<string, unknown>>): string =>
  fields.map(field => Escape.line(text(issue[field]))).join("\t")
