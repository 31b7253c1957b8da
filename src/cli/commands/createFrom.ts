/** `create --file`: the issues that a file describes, all of them or none. */

import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Created, type Draft, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { AlreadyTold, DraftInvalid, UsageError } from "../CliError.ts"
import * as DependencyText from "../DependencyText.ts"
import * as Escape from "../Escape.ts"
import * as ExitCode from "../ExitCode.ts"
import * as JsonDrafts from "../JsonDrafts.ts"
import * as Markdown from "../Markdown.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

const fromMarkdown = (text: string): ReadonlyArray<Either.Either<JsonDrafts.Described, JsonDrafts.Refused>> =>
  Markdown.issues(text).map(({ dependencies, line, ...fields }) =>
    Either.right({
      place: `line ${line}`,
      // the values are checked where the issue is made
      draft: { ...fields, dependencies: dependencies.map(DependencyText.read) } as unknown as Draft
    })
  )

/** How many of several failures are told: the first lines of a file of another kind say it all. */
const mostTold = 10

const refuse = Effect.fnUntraced(function* (source: string, refused: ReadonlyArray<JsonDrafts.Refused>) {
  const [first, ...others] = refused.map(
    ({ detail, place }) =>
      new DraftInvalid({
        place: `${source}, ${place}`,
        detail,
        exitCode: 4,
        code: "invalid_value",
        hint: undefined,
        id: undefined
      })
  )
  if (first === undefined) return
  yield* Effect.forEach([first, ...others].slice(0, mostTold), error => Output.tell(error), { discard: true })
  if (refused.length > mostTold) yield* Output.note(`… and ${refused.length - mostTold} more`)
  yield* Output.errorDocument(first)
  return yield* new AlreadyTold({ exitCode: 4 })
})

const listed = ({ id, issue_type, priority, title }: Created["issue"]): string =>
  `  ${Escape.line(id)}: ${Escape.line(title)} [P${priority}, ${Escape.line(issue_type)}]`

const count = (n: number): string => Plural.of(n, "issue")

export const run = Effect.fnUntraced(function* (
  path: string,
  how: { readonly dryRun: boolean; readonly force: boolean }
) {
  const tracker = yield* Tracker
  const text = (yield* Prose.read({ _tag: "File", path })).replace(/^\ufeff/, "")
  const source = path === "-" ? "stdin" : path
  const read = JsonDrafts.isMeant(text) ? JsonDrafts.issues(text) : fromMarkdown(text)
  yield* refuse(
    source,
    read.filter(Either.isLeft).map(({ left }) => left)
  )
  const described = read.filter(Either.isRight).map(({ right }) => right)
  if (described.length === 0) {
    return yield* new UsageError({
      detail: `${source} describes no issue`,
      hint: "JSONL: an object a line, with its title; Markdown: a line ## TITLE begins an issue"
    })
  }
  let existed: ReadonlyArray<string> = []
  const attempt = tracker
    .createMany(
      described.map(({ draft }) => (how.force ? { ...draft, force: true } : draft)),
      { dryRun: how.dryRun }
    )
    .pipe(
      Effect.catchTag("DraftRefused", ({ error, index }) => {
        const { code, exitCode, hint, id } = ExitCode.verdict(error)
        const place = `${source}, ${described[index]?.place ?? `issue ${index + 1}`}`
        return new DraftInvalid({ place, detail: error.message, exitCode, code, hint, id })
      })
    )
  if (how.dryRun) {
    const created = yield* attempt
    const fresh = created.filter(({ existed }) => !existed)
    return yield* Output.answer({
      json: () => ({
        dry_run: true,
        created_count: fresh.length,
        created: fresh.map(({ issue }) => Render.json(issue))
      }),
      text: () =>
        [
          `Would create ${count(fresh.length)} from ${Escape.line(source)}:`,
          ...fresh.map(({ issue }) => listed(issue)),
          "Nothing was created; an id that is not given will be another one."
        ].join("\n")
    })
  }
  yield* Change.run(
    Change.one(
      Effect.tap(attempt, created =>
        Effect.sync(() => {
          existed = created.filter(({ existed }) => existed).map(({ issue }) => issue.id)
        })
      )
    ),
    {
      json: done => done.flat().map(({ issue }) => Render.json(issue)),
      text: done => {
        const fresh = done.flat().filter(({ existed }) => !existed)
        return [
          `✓ Created ${count(fresh.length)} from ${Escape.line(source)}${fresh.length === 0 ? "" : ":"}`,
          ...fresh.map(({ issue }) => listed(issue))
        ].join("\n")
      }
    }
  )
  if (existed.length > 0) {
    const some = existed.slice(0, mostTold).map(Escape.line).join(", ")
    yield* Output.note(
      `Left as they are, since their external references exist already: ${some}${existed.length > mostTold ? ` and ${existed.length - mostTold} more` : ""}`
    )
  }
})
