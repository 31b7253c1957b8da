import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { assign as assignSpec, note as noteSpec, prioritize as prioritizeSpec, update } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

type Fields = Parameters<Tracker["Type"]["update"]>[1]

const forms = {
  json: (issues: ReadonlyArray<Issue.Issue>) => issues.map(Render.json),
  text: (issues: ReadonlyArray<Issue.Issue>) => issues.map(({ id }) => `✓ Updated issue: ${Escape.line(id)}`).join("\n")
}

/** Nothing to add is a slip, such as an unset variable of a shell, and must not look like success. */
const refuseEmpty = (field: string, isEmpty: boolean) =>
  isEmpty ? new Issue.InvalidValue({ field, value: "", rule: "one character or more" }) : Effect.void

export const run = Effect.fn("bd.update")(function* ({ args, flags }: Input<typeof update>) {
  const tracker = yield* Tracker
  const texts = {
    description: yield* Prose.readOptional(flags.description),
    design: yield* Prose.readOptional(flags.design),
    acceptance_criteria: yield* Prose.readOptional(flags.acceptance),
    notes: yield* Prose.readOptional(flags.notes)
  }
  const appendNotes = yield* Prose.readOptional(flags["append-notes"])
  yield* refuseEmpty("append-notes", appendNotes === "")
  yield* refuseEmpty("add-label", flags["add-label"]?.length === 0)
  yield* refuseEmpty("remove-label", flags["remove-label"]?.length === 0)
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
    ...(flags.parent === undefined ? {} : { parent: flags.parent }),
    ...(flags.claim ? { claim: true } : {})
  }
  const ifUpdatedAt = flags["if-updated-at"]
  if (Object.keys(fields).length === 0) {
    return yield* new UsageError({ detail: "nothing to change is given", hint: "bd update --help lists the flags" })
  }
  const changes = Change.each(args.ids, id =>
    tracker.update(id, ifUpdatedAt === undefined ? fields : { ...fields, ifUpdatedAt })
  )
  yield* Change.run(changes, forms)
})

export const assign = Effect.fn("bd.assign")(function* ({ args }: Input<typeof assignSpec>) {
  const tracker = yield* Tracker
  yield* Change.run(Change.one(tracker.update(args.id, { assignee: args.assignee })), forms)
})

export const prioritize = Effect.fn("bd.priority")(function* ({ args }: Input<typeof prioritizeSpec>) {
  const tracker = yield* Tracker
  const priority = yield* Issue.decodePriority(args.priority)
  yield* Change.run(Change.one(tracker.update(args.id, { priority })), forms)
})

export const note = Effect.fn("bd.note")(function* ({ args }: Input<typeof noteSpec>) {
  const tracker = yield* Tracker
  const text = yield* Prose.read(args.text)
  yield* refuseEmpty("note", text === "")
  yield* Change.run(Change.one(tracker.update(args.id, { appendNotes: text })), forms)
})

const withoutUndefined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
