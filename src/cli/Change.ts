/**
 * How a command changes issues: tries each id, publishes, answers, and ends with the right exit code (G11).
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Tracker } from "../tracker/Tracker.ts"
import { AlreadyTold } from "./CliError.ts"
import type { CommandError } from "./ExitCode.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Output from "./Output.ts"
import { Settings } from "./Settings.ts"

/** What became of several ids. */
export interface Outcome<A> {
  readonly done: ReadonlyArray<A>
  readonly failures: ReadonlyArray<CommandError>
}

/** Tries each; a failure of one does not keep the others from being tried. */
export const each = <I, A, E extends CommandError, R>(
  items: Iterable<I>,
  attempt: (item: I) => Effect.Effect<A, E, R>
): Effect.Effect<Outcome<A>, never, R> =>
  Effect.forEach(items, item => Effect.either(attempt(item))).pipe(
    Effect.map(results => ({
      done: results.filter(Either.isRight).map(({ right }) => right),
      failures: results.filter(Either.isLeft).map(({ left }) => left)
    }))
  )

/** Just one. */
export const one = <A, E extends CommandError, R>(
  attempt: Effect.Effect<A, E, R>
): Effect.Effect<Outcome<A>, never, R> => each([undefined], () => attempt)

/** Changes and publishes, under one hold of the lock. With `--no-auto-flush` the change is committed only. */
const publish = Effect.fnUntraced(function* <A, R>(changes: Effect.Effect<Outcome<A>, never, R>) {
  const tracker = yield* Tracker
  const settings = yield* Settings
  if (settings.flush) {
    const held: Output.Held = new Set()
    // where nothing was changed, nothing of this command waits to be published
    const published = yield* tracker.publishing(Effect.annotateLogs(changes, Output.heldBack, held), {
      when: ({ done }) => done.length > 0
    })
    // the failure of the publish tells of the line too
    if (Option.isNone(published.failure)) yield* Effect.forEach(held, Output.note, { discard: true })
    return published
  }
  const result = yield* changes
  if (result.done.length > 0)
    yield* Output.note("Not published (--no-auto-flush): bd flush puts the change into the issue file")
  return { result, failure: Option.none() }
})

/** The id that an error is about when the commit stands: agents must not try again, and need it to go on. */
const onlyId = (done: ReadonlyArray<unknown>): string | undefined => {
  const [first] = done
  return done.length === 1 &&
    typeof first === "object" &&
    first !== null &&
    "id" in first &&
    typeof first.id === "string"
    ? first.id
    : undefined
}

/** Tells failures, answers with what was done, and fails if anything failed. */
export const finish = Effect.fnUntraced(function* <A>(
  { done, failures }: Outcome<A>,
  forms: { readonly json: (done: ReadonlyArray<A>) => unknown; readonly text: (done: ReadonlyArray<A>) => string },
  {
    respond = Output.answer,
    unpublished = Option.none()
  }: {
    /** `Output.confirm` for what `--quiet` keeps back. */
    readonly respond?: typeof Output.answer
    readonly unpublished?: Option.Option<CommandError>
  } = {}
) {
  const settings = yield* Settings
  yield* Effect.forEach(failures, failure => Output.tell(failure), { discard: true })
  const first = failures[0]
  const answer = { json: () => forms.json(done), text: () => forms.text(done) }
  if (Option.isSome(unpublished)) {
    if (!settings.json && done.length > 0) yield* respond(answer)
    yield* Output.tell(unpublished.value)
    yield* Output.errorDocument(unpublished.value, { id: onlyId(done) })
    return yield* new AlreadyTold({ exitCode: ExitCode.ofSeveral([...failures, unpublished.value]) })
  }
  if (first === undefined) return yield* respond(answer)
  if (done.length === 0) yield* Output.errorDocument(first)
  else yield* respond(answer)
  return yield* new AlreadyTold({ exitCode: ExitCode.ofSeveral(failures) })
})

/** All of it: changes, publishes, answers. */
export const run = Effect.fnUntraced(function* <A, R>(
  changes: Effect.Effect<Outcome<A>, never, R>,
  forms: { readonly json: (done: ReadonlyArray<A>) => unknown; readonly text: (done: ReadonlyArray<A>) => string },
  /** `Output.answer` where the answer is what the command was run for, also with `--quiet`. */
  { respond = Output.confirm }: { readonly respond?: typeof Output.answer } = {}
) {
  const { failure, result } = yield* publish(changes)
  yield* finish(result, forms, { respond, unpublished: failure })
})
