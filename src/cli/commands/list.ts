import * as Effect from "effect/Effect"
import type * as Issue from "../../domain/Issue.ts"
import { type ListedLine, type ListFilter, Tracker } from "../../tracker/Tracker.ts"
import type { FlagsOf, Input } from "../CommandSpec.ts"
import type { list, search as searchSpec } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Filters from "../Filters.ts"
import * as GraphText from "../GraphText.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import { Settings } from "../Settings.ts"
import { issueTypes, type listingFlags, statuses } from "../specs/Parts.ts"

type Issues = ReadonlyArray<Issue.Issue>

/** Why nothing may have been found: a word that is never given here is perhaps mistyped. Old files may have it. */
const strange = (
  flag: string,
  known: ReadonlyArray<string>,
  given: ReadonlyArray<string> = []
): ReadonlyArray<string> =>
  given
    .filter(value => !known.includes(value))
    .map(value => `${JSON.stringify(value)} is not a usual ${flag} (${known.join(", ")})`)

/** What an empty list says, on stderr: stdout stays empty for pipes. */
const noneFound = Effect.fnUntraced(function* (filter: ListFilter) {
  const { json, quiet } = yield* Settings
  const reasons = [...strange("status", statuses, filter.statuses), ...strange("type", issueTypes, filter.types)]
  if (reasons.length > 0) yield* Output.note(`No issues found: ${reasons.join("; ")}`)
  else if (!json && !quiet) {
    yield* Output.note(Object.keys(filter).length === 0 ? `No issues: bd create "TITLE" makes one` : "No issues found")
  }
})

/** What is found, in the form that the flags ask for; `text` unless they ask for fields. */
const answer = Effect.fnUntraced(function* (
  filter: ListFilter,
  flags: FlagsOf<typeof listingFlags>,
  text: (issues: Issues) => string,
  drawn: ((issues: Issues) => Output.Drawn) | undefined
) {
  const tracker = yield* Tracker
  const forms = yield* Fields.shaped(flags, {
    json: Render.listedJson,
    jsonText: Render.listedText,
    isLines: text === Render.list,
    text: (items: ReadonlyArray<ListedLine>) => text(items.map(({ issue }) => issue)),
    drawn: drawn && ((items: ReadonlyArray<ListedLine>) => drawn(items.map(({ issue }) => issue)))
  })
  const asked = {
    ...filter,
    ...Filters.given({ sort: flags.sort, reverse: flags.reverse || undefined, limit: flags.limit })
  }
  const total = yield* Output.answerParts(
    <B>(part: (items: ReadonlyArray<ListedLine>) => B) => tracker.listParts(asked, part),
    forms
  )
  if (total === 0) yield* noneFound(filter)
})

/** The filter, of what can be worked on alone. */
const readyOf = Effect.fnUntraced(function* (filter: ListFilter) {
  const tracker = yield* Tracker
  const { items } = yield* tracker.ready({ limit: 0 })
  const ids = new Set(items.map(({ id }) => id))
  return { ...filter, ids: filter.ids === undefined ? [...ids] : filter.ids.filter(id => ids.has(id)) }
})

const forms = { digraph: GraphText.digraph, dot: GraphText.dot } as const

export const run = Effect.fn("bd.list")(function* ({ flags }: Input<typeof list>) {
  const text =
    flags.format !== undefined
      ? forms[flags.format]
      : flags.tree
        ? GraphText.outline
        : flags.long
          ? Render.longList
          : Render.list
  const drawn = (issues: Issues): Output.Drawn => {
    const rows = flags.tree ? GraphText.nested(issues) : issues.map(issue => ({ issue, depth: 0 }))
    return (tables, screen) => tables.list(rows, screen)
  }
  const filter = yield* Filters.list(flags)
  const asked = flags.ready ? yield* readyOf(filter) : filter
  yield* answer(asked, flags, text, flags.format === undefined && !flags.long ? drawn : undefined)
})

export const search = Effect.fn("bd.search")(function* ({ args, flags }: Input<typeof searchSpec>) {
  const filter = yield* Filters.list(flags)
  const drawn = (issues: Issues): Output.Drawn => {
    const rows = issues.map(issue => ({ issue, depth: 0 }))
    return (tables, screen) => tables.list(rows, screen)
  }
  const text = flags.long ? Render.longList : Render.list
  yield* answer({ ...filter, text: args.text }, flags, text, flags.long ? undefined : drawn)
})
