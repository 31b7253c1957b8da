import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Conflict, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { update } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"
import { Session } from "../Session.ts"

type Fields = Parameters<Tracker["Type"]["update"]>[1]

/**
 * Takes an issue: compare and set, so that of several who try at once one wins. What else changed the issue in between
 * is no reason to lose, so the look is repeated until nothing did.
 */
const claim = Effect.fnUntraced(function* (id: string, fields: Fields) {
  const tracker = yield* Tracker
  const { actor } = yield* Session
  const attempt = Effect.gen(function* () {
    const { issue } = yield* tracker.show(id)
    const owner = issue.assignee ?? ""
    if (owner !== "" && owner !== actor)
      return yield* new Conflict({ id: issue.id, detail: `already claimed by ${owner}` })
    if (issue.status === "closed") return yield* new Conflict({ id: issue.id, detail: "it is closed" })
    return yield* tracker
      .update(issue.id, { ...fields, assignee: actor, status: "in_progress", ifUpdatedAt: issue.updated_at })
      .pipe(Effect.mapError(error => (error._tag === "Conflict" ? new Outrun() : error)))
  })
  return yield* attempt.pipe(
    Effect.retry({ while: error => error._tag === "Outrun", times: 10 }),
    Effect.catchTag("Outrun", () => new Conflict({ id, detail: "it keeps being changed by others" }))
  )
})

/** The issue changed between the look and the change. */
class Outrun {
  readonly _tag = "Outrun"
}

export const run = Effect.fn("bd.update")(function* ({ args, flags }: Input<typeof update>) {
  const tracker = yield* Tracker
  const texts = {
    description: yield* Prose.readOptional(flags.description),
    design: yield* Prose.readOptional(flags.design),
    acceptance_criteria: yield* Prose.readOptional(flags.acceptance),
    notes: yield* Prose.readOptional(flags.notes)
  }
  const appendNotes = yield* Prose.readOptional(flags["append-notes"])
  const decoded = yield* Issue.decodeIssueUpdate(
    withoutUndefined({
      ...texts,
      status: flags.status,
      priority: flags.priority,
      issue_type: flags.type,
      title: flags.title,
      assignee: flags.assignee,
      external_ref: flags["external-ref"],
      estimated_minutes: flags.estimate
    })
  )
  const fields: Fields = {
    ...decoded,
    ...(appendNotes === undefined ? {} : { appendNotes }),
    ...(flags["add-label"] === undefined ? {} : { addLabels: flags["add-label"] }),
    ...(flags["remove-label"] === undefined ? {} : { removeLabels: flags["remove-label"] }),
    ...(flags["set-labels"] === undefined ? {} : { setLabels: flags["set-labels"] }),
    ...(flags.parent === undefined ? {} : { parent: flags.parent })
  }
  const ifUpdatedAt = flags["if-updated-at"]
  if (Object.keys(fields).length === 0 && !flags.claim) {
    yield* Output.note("No updates specified")
    return yield* Output.answer({ json: () => [], text: () => "" })
  }
  const changes = Change.each(args.ids, id =>
    flags.claim
      ? claim(id, fields)
      : tracker.update(id, ifUpdatedAt === undefined ? fields : { ...fields, ifUpdatedAt })
  )
  yield* Change.run(changes, {
    json: issues => issues.map(Render.json),
    text: issues => issues.map(({ id }) => `✓ Updated issue: ${Escape.line(id)}`).join("\n")
  })
})

const withoutUndefined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
