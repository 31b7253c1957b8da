import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import { listOf } from "../Argv.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { labelAdd, labelList, labelRemove } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

interface Labelled {
  readonly id: string
  readonly label: string
}

const forms = (status: "added" | "removed", text: (labelled: Labelled) => string) => ({
  json: (done: ReadonlyArray<ReadonlyArray<Labelled>>) =>
    done.flat().map(({ id, label }) => ({ issue_id: id, label, status })),
  text: (done: ReadonlyArray<ReadonlyArray<Labelled>>) =>
    done
      .flat()
      .map(({ id, label }) => text({ id: Escape.line(id), label: Escape.line(label) }))
      .join("\n")
})

export const add = Effect.fn("bd.label.add")(function* ({ args }: Input<typeof labelAdd>) {
  const tracker = yield* Tracker
  const named = listOf([args.label])
  const labels = yield* Effect.forEach(named.length === 0 ? [""] : named, label => Issue.decodeLabel(label))
  yield* Change.run(
    Change.each(args.ids, id =>
      Effect.forEach(new Set(labels), label =>
        Effect.map(tracker.addLabel(id, label), issue => ({ id: issue.id, label }))
      )
    ),
    forms("added", ({ id, label }) => `✓ Added label '${label}' to ${id}`)
  )
})

export const remove = Effect.fn("bd.label.remove")(function* ({ args }: Input<typeof labelRemove>) {
  const tracker = yield* Tracker
  const removed = (id: string, label: string) =>
    Effect.map(tracker.removeLabel(id, label), issue => ({ id: issue.id, label }))
  yield* Change.run(
    Change.each(args.ids, id =>
      Effect.gen(function* () {
        // others make labels with a comma in them
        const { issue } = yield* tracker.show(id)
        const named = listOf([args.label])
        const labels = issue.labels.includes(args.label) || named.length === 0 ? [args.label] : new Set(named)
        return yield* Effect.forEach(labels, label => removed(id, label))
      })
    ),
    forms("removed", ({ id, label }) => `✓ Removed label '${label}' from ${id}`)
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
            ...labels.map(
              ({ count, label }) => `  ${Escape.line(label).padEnd(width)}  (${Plural.of(count, "issue")})`
            ),
            ""
          ].join("\n")
  })
})
