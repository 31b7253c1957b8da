import * as Effect from "effect/Effect"
import type * as Issue from "../../domain/Issue.ts"
import { type ListedIssue, type ListFilter, Tracker } from "../../tracker/Tracker.ts"
import type { FlagsOf, Input } from "../CommandSpec.ts"
import type { list, search as searchSpec } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Filters from "../Filters.ts"
import * as GraphText from "../GraphText.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import type { listingFlags } from "../specs/Parts.ts"

type Issues = ReadonlyArray<Issue.Issue>

/** What is found, in the form that the flags ask for; `text` unless they ask for fields. */
const answer = Effect.fnUntraced(function* (
  filter: ListFilter,
  flags: FlagsOf<typeof listingFlags>,
  text: (issues: Issues) => string
) {
  const tracker = yield* Tracker
  const fields = yield* Fields.decode(flags.fields)
  const chosen = fields ?? (flags.brief ? Fields.brief : undefined)
  const page = yield* tracker.list({
    ...filter,
    ...Filters.given({ sort: flags.sort, reverse: flags.reverse || undefined, limit: flags.limit })
  })
  yield* Output.answerList(page, {
    json: chosen === undefined ? Render.listedJson : item => Fields.pick(chosen, Render.listedJson(item)),
    text: (items: ReadonlyArray<ListedIssue>) =>
      fields === undefined
        ? text(items.map(({ issue }) => issue))
        : items.map(item => Fields.line(fields, Render.listedJson(item))).join("\n")
  })
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
  yield* answer(yield* Filters.list(flags), flags, text)
})

export const search = Effect.fn("bd.search")(function* ({ args, flags }: Input<typeof searchSpec>) {
  const filter = yield* Filters.list(flags)
  yield* answer({ ...filter, text: args.text }, flags, flags.long ? Render.longList : Render.list)
})
