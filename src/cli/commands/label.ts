import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { labelAdd, labelList, labelRemove } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"

const forms = (label: string, status: "added" | "removed", text: (id: string) => string) => ({
  json: (issues: ReadonlyArray<Issue.Issue>) => issues.map(({ id }) => ({ issue_id: id, label, status })),
  text: (issues: ReadonlyArray<Issue.Issue>) => issues.map(({ id }) => text(Escape.line(id))).join("\n")
})

export const add = Effect.fn("bd.label.add")(function* ({ args }: Input<typeof labelAdd>) {
  const tracker = yield* Tracker
  const label = yield* Issue.decodeLabel(args.label)
  yield* Change.run(
    Change.each(args.ids, id => tracker.addLabel(id, label)),
    forms(label, "added", id => `✓ Added label '${Escape.line(label)}' to ${id}`)
  )
})

export const remove = Effect.fn("bd.label.remove")(function* ({ args }: Input<typeof labelRemove>) {
  const tracker = yield* Tracker
  yield* Change.run(
    Change.each(args.ids, id => tracker.removeLabel(id, args.label)),
    forms(args.label, "removed", id => `✓ Removed label '${Escape.line(args.label)}' from ${id}`)
  )
})

export const list = Effect.fn("bd.label.list")(function* ({ args }: Input<typeof labelList>) {
  const tracker = yield* Tracker
  const { issue } = yield* tracker.show(args.id)
  yield* Output.answer({
    json: () => issue.labels,
    text: () =>
      issue.labels.length === 0
        ? `\n${Escape.line(issue.id)} has no labels\n`
        : `\n🏷 Labels for ${Escape.line(issue.id)}:\n${issue.labels.map(label => `  - ${Escape.line(label)}`).join("\n")}\n`
  })
})

export const listAll = Effect.fn("bd.label.list-all")(function* () {
  const tracker = yield* Tracker
  const labels = yield* tracker.labels
  const width = Math.max(0, ...labels.map(({ label }) => Escape.line(label).length))
  yield* Output.answer({
    json: () => labels.map(({ count, label }) => ({ label, count })),
    text: () =>
      labels.length === 0
        ? "\nNo labels found\n"
        : [
            `\n🏷 All labels (${labels.length} unique):`,
            ...labels.map(({ count, label }) => `  ${Escape.line(label).padEnd(width)}  (${count} issues)`),
            ""
          ].join("\n")
  })
})
