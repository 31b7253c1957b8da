/**
 * How a command answers: text for people or one JSON document for programs, on stdout; the rest on stderr.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type { Page, Parts } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import type { CommandError } from "./ExitCode.ts"
import * as ExitCode from "./ExitCode.ts"
import { Settings } from "./Settings.ts"
import { type Screen, Stdio, type Styled } from "./Stdio.ts"
import type * as Tables from "./Tables.ts"

/** A JSON document, indented by two spaces. */
const jsonText = (document: unknown): string => `${JSON.stringify(document, undefined, 2)}\n`

/** An item as it stands in a list, between the line ends. */
const itemText = (item: unknown): string => JSON.stringify([item], undefined, 2).slice("[\n".length, -"\n]".length)

/** Items of a list, each with what stands in front of it. */
const jsonItems = <A>(items: ReadonlyArray<A>, { json, jsonText }: ListForms<A>): Escape.Escaped =>
  Escape.Escaped.json(items.map(item => `,\n${jsonText?.(item) ?? itemText(json(item))}`).join(""))

/** A JSON document of one list, its items in parts by `jsonItems`. */
const writeItems = Effect.fnUntraced(function* (parts: ReadonlyArray<Escape.Escaped>) {
  const stdio = yield* Stdio
  const [first] = parts
  if (first === undefined) return yield* stdio.outJson("[]\n")
  // in front of the first item no comma stands, but the bracket
  first.bytes[0] = "[".charCodeAt(0)
  yield* stdio.outEscaped([...parts, Escape.Escaped.json("\n]\n")])
})

/** How something is drawn for a terminal. What draws is loaded there only. */
export type Drawn = (tables: typeof Tables, screen: Screen) => Styled

/** The one answer of a command. Only the form that was asked for is made. */
export const answer = Effect.fnUntraced(function* (forms: {
  readonly json: () => unknown
  readonly text: () => string
  /** For a terminal, instead of the text. */
  readonly drawn?: Drawn | undefined
}) {
  const stdio = yield* Stdio
  const settings = yield* Settings
  if (settings.json) return yield* stdio.outJson(jsonText(forms.json()))
  const screen = forms.drawn && stdio.screen()
  if (forms.drawn !== undefined && screen !== undefined) {
    const tables = yield* Effect.promise(() => import("./Tables.ts"))
    return yield* stdio.outStyled(forms.drawn(tables, screen))
  }
  const text = forms.text()
  if (text !== "") yield* stdio.out(text.endsWith("\n") ? text : `${text}\n`)
})

/** The answer of a command that has changed something: `--quiet` keeps the text back, never the JSON. */
export const confirm = Effect.fnUntraced(function* (forms: {
  readonly json: () => unknown
  readonly text: () => string
}) {
  const settings = yield* Settings
  yield* answer(settings.quiet ? { ...forms, text: () => "" } : forms)
})

/** The forms of a list. */
export interface ListForms<A> {
  readonly json: (item: A) => Readonly<Record<string, unknown>>
  /** The same as text, indented as in a list, where there is a shorter way to it. */
  readonly jsonText?: ((item: A) => string | undefined) | undefined
  readonly text: (items: ReadonlyArray<A>) => string
  /** Each item is lines of its own, whatever stands before and behind it. */
  readonly isLines?: boolean
  /** For a terminal, if there is something to draw. */
  readonly drawn?: ((items: ReadonlyArray<A>) => Drawn) | undefined
}

/** A list that may have been cut: what is missing is told on stderr, and in the envelope. */
export const answerList = Effect.fnUntraced(function* <A>(page: Page<A>, forms: ListForms<A>) {
  const { envelope, json } = yield* Settings
  const truncated = page.items.length < page.total
  if (json && !envelope) {
    yield* writeItems(page.items.map(item => jsonItems([item], forms)))
  } else {
    yield* answer({
      json: () => ({ issues: page.items.map(forms.json), total: page.total, truncated }),
      text: () => forms.text(page.items),
      drawn: page.items.length === 0 ? undefined : forms.drawn?.(page.items)
    })
  }
  yield* tellCut(page.items.length, page.total)
})

/**
 * As `answerList`, of a list that may be long: where it can be, it is made into text as it is read, and nothing else of it
 * stays in memory. Nothing is written before all was read. Gives how many there are without the limit.
 */
export const answerParts = Effect.fnUntraced(function* <A, E, R>(
  list: <B>(part: (items: ReadonlyArray<A>) => B) => Effect.Effect<Parts<B>, E, R>,
  forms: ListForms<A>
) {
  const stdio = yield* Stdio
  const { envelope, json } = yield* Settings
  const isDivisible = json
    ? !envelope
    : forms.isLines === true && (forms.drawn === undefined || stdio.screen() === undefined)
  if (!isDivisible) {
    const { parts, total } = yield* list(items => items)
    yield* answerList({ items: parts.flat(), total }, forms)
    return total
  }
  const made = json
    ? (items: ReadonlyArray<A>) => jsonItems(items, forms)
    : (items: ReadonlyArray<A>) => Escape.Escaped.text(`${forms.text(items)}\n`)
  const { parts, shown, total } = yield* list(made)
  yield* json ? writeItems(parts) : stdio.outEscaped(parts)
  yield* tellCut(shown, total)
  return total
})

/** A limit cut something off. */
export const tellCut = Effect.fnUntraced(function* (shown: number, total: number) {
  const stdio = yield* Stdio
  if (shown < total) yield* stdio.err(`Showing ${shown} of ${total}; --limit 0 shows all\n`)
})

/** Something worth knowing that is no failure. */
export const note = (text: string) => Effect.flatMap(Stdio, stdio => stdio.err(`${text}\n`))

/** Tells one failure on stderr. `hint`: what to do about it, if not what is usual. */
export const tell = (error: CommandError, hint = ExitCode.verdict(error).hint) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio
    yield* stdio.err(`Error: ${error.message}\n${hint === undefined ? "" : `Hint: ${hint}\n`}`)
  })

/** With `--json`, the error object on stdout. `id`: the issue it is about, if the error does not say; `hint` as above. */
export const errorDocument = (
  error: CommandError,
  {
    hint = ExitCode.verdict(error).hint,
    id
  }: { readonly hint?: string | undefined; readonly id?: string | undefined } = {}
) =>
  Effect.gen(function* () {
    const { json } = yield* Settings
    if (!json) return
    const stdio = yield* Stdio
    const told = ExitCode.verdict(error)
    yield* stdio.outJson(jsonText({ error: { code: told.code, message: error.message, hint, id: told.id ?? id } }))
  })

/** With `--json`, the error object of a command that a signal ended. */
export const interrupted = Effect.gen(function* () {
  const { json } = yield* Settings
  if (!json) return
  const stdio = yield* Stdio
  yield* stdio.outJson(jsonText({ error: { code: "interrupted", message: "ended by a signal" } }))
})

/** Ends a failed command: message on stderr, with `--json` the error object on stdout. Gives the exit code. */
export const fail = (error: CommandError) =>
  Effect.gen(function* () {
    if (error._tag !== "AlreadyTold") {
      yield* tell(error)
      yield* errorDocument(error)
    }
    return ExitCode.verdict(error).exitCode
  })

/** As `fail`, for what should not have happened. */
export const die = (cause: Cause.Cause<never>) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio
    const defect = Cause.squash(cause)
    const message = `internal error: ${defect instanceof Error ? defect.message : String(defect)}`
    const { json } = yield* Settings
    yield* stdio.err(`Error: ${message}\n`)
    yield* Effect.logDebug(Cause.pretty(cause))
    if (json) yield* Effect.exit(stdio.outJson(jsonText({ error: { code: "internal", message } })))
    return 1
  })

/** Log entries that are kept until it is known whether a failure tells the same. */
export type Held = Set<string>

/** The annotation under which a part of a command keeps its entries on lines that cannot be read. */
export const heldBack = "held back"

/**
 * Log entries go to stderr, a warning as `Warning: …`. Not those of the flush manager about attempts: a command tells
 * itself that its change was not published, and ends instead of trying again.
 */
export const logger = (write: (text: string) => void) =>
  Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
    const module = Option.getOrUndefined(HashMap.get(annotations, "module"))
    if (module === "FlushManager" && LogLevel.lessThan(logLevel, LogLevel.Error)) return
    const label = logLevel.label.charAt(0) + logLevel.label.slice(1).toLowerCase()
    const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
    const entry = `${label === "Warn" ? "Warning" : label}: ${text}`
    const held = Option.getOrUndefined(HashMap.get(annotations, heldBack))
    if (held instanceof Set && HashMap.has(annotations, "barred")) held.add(entry)
    else write(Escape.text(`${entry}\n`))
  })
