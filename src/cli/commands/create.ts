import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { create, quick as quickSpec } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Markdown from "../Markdown.ts"
import * as Output from "../Output.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

/** `[TYPE:]ID`; a colon that follows no word is part of the id. */
const dependency = (text: string): { readonly id: string; readonly type: string } => {
  const colon = text.indexOf(":")
  return colon > 0 ? { type: text.slice(0, colon), id: text.slice(colon + 1) } : { type: "blocks", id: text }
}

const created = (issue: Issue.Issue): string =>
  `✓ Created issue: ${Escape.line(issue.id)}
  Title: ${Escape.line(issue.title)}
  Priority: P${issue.priority}
  Status: ${issue.status}`

const fromFile = Effect.fnUntraced(function* (path: string) {
  const tracker = yield* Tracker
  const text = yield* Prose.read({ _tag: "File", path })
  const drafts = Markdown.issues(text)
  if (drafts.length === 0) {
    return yield* new UsageError({ detail: `${path} describes no issue`, hint: "a line ## TITLE begins an issue" })
  }
  const changes = Change.each(drafts, ({ dependencies, ...draft }) =>
    Effect.flatMap(Issue.decodeNewIssue(draft), input =>
      tracker.create({ ...input, dependencies: dependencies.map(dependency) })
    )
  )
  yield* Change.run(changes, {
    json: issues => issues.map(Render.json),
    text: issues =>
      [
        `✓ Created ${issues.length} issues from ${Escape.line(path)}:`,
        ...issues.map(
          ({ id, issue_type, priority, title }) =>
            `  ${Escape.line(id)}: ${Escape.line(title)} [P${priority}, ${Escape.line(issue_type)}]`
        )
      ].join("\n")
  })
})

export const run = Effect.fn("bd.create")(function* ({ args, flags }: Input<typeof create>) {
  const tracker = yield* Tracker
  const title = flags.title ?? args.title
  if (flags.file !== undefined) {
    if (title !== undefined)
      return yield* new UsageError({ detail: "a title and --file exclude each other", hint: undefined })
    return yield* fromFile(flags.file)
  }
  if (title === undefined) {
    return yield* new UsageError({ detail: "TITLE is missing", hint: "usage: bd create TITLE, or --file FILE.md" })
  }
  if (args.title !== undefined && flags.title !== undefined && args.title !== flags.title) {
    return yield* new UsageError({ detail: "two different titles are given", hint: "give TITLE or --title, not both" })
  }
  const description = yield* Prose.readOptional(flags.description)
  const design = yield* Prose.readOptional(flags.design)
  const acceptance = yield* Prose.readOptional(flags.acceptance)
  const notes = yield* Prose.readOptional(flags.notes)
  const attempt = Effect.gen(function* () {
    const input = yield* Issue.decodeNewIssue({
      title,
      issue_type: flags.type,
      priority: flags.priority,
      description,
      design,
      acceptance_criteria: acceptance,
      notes,
      assignee: flags.assignee,
      labels: flags.labels,
      external_ref: flags["external-ref"],
      estimated_minutes: flags.estimate
    })
    return yield* tracker.create({
      ...input,
      dependencies: [
        ...(flags.deps ?? []).map(dependency),
        ...(flags["blocked-by"] ?? []).map(id => ({ id, type: "blocks" }))
      ],
      blocks: flags.blocks ?? [],
      force: flags.force,
      ...(flags.id === undefined ? {} : { id: flags.id }),
      ...(flags.parent === undefined ? {} : { parent: flags.parent })
    })
  })
  yield* Change.run(Change.one(attempt), {
    json: ([issue]) => (issue === undefined ? null : Render.json(issue)),
    text: issues => issues.map(created).join("\n")
  })
})

export const quick = Effect.fn("bd.q")(function* ({ args, flags }: Input<typeof quickSpec>) {
  const tracker = yield* Tracker
  const description = yield* Prose.readOptional(flags.description)
  const attempt = Effect.gen(function* () {
    const input = yield* Issue.decodeNewIssue({
      title: args.title,
      issue_type: flags.type,
      priority: flags.priority,
      description,
      assignee: flags.assignee,
      labels: flags.labels
    })
    return yield* tracker.create({ ...input, ...(flags.parent === undefined ? {} : { parent: flags.parent }) })
  })
  yield* Change.run(
    Change.one(attempt),
    {
      json: ([issue]) => (issue === undefined ? null : Render.json(issue)),
      text: issues => issues.map(({ id }) => Escape.line(id)).join("\n")
    },
    { respond: Output.answer }
  )
})
