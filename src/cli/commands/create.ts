import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { type Draft, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { create, quick as quickSpec } from "../CommandTable.ts"
import * as DependencyText from "../DependencyText.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

const created = (issue: Issue.Issue, done: string): string =>
  `${done}: ${Escape.line(issue.id)}
  Title: ${Escape.line(issue.title)}
  Priority: P${issue.priority}
  Status: ${issue.status}`

/** The fields that were given and are not so in the issue that is there. */
const differing = (given: Draft, issue: Issue.Issue): ReadonlyArray<string> =>
  Object.entries(given).flatMap(([field, value]) => {
    if (value === undefined || value === "") return []
    if (field === "labels") return (given.labels ?? []).every(label => issue.labels.includes(label)) ? [] : [field]
    return field in issue && typeof value !== "object" && issue[field as keyof Issue.Issue] !== value ? [field] : []
  })

/** Said of an issue that is there already by its external reference. */
const sameReference = (given: Draft, issue: Issue.Issue): string => {
  const fields = differing(given, issue)
  return [
    `${Escape.line(issue.id)} has this external reference already and was left as it is`,
    ...(issue.status === "closed" ? ["; it is closed"] : []),
    ...(fields.length === 0 ? [] : [`; it differs in ${fields.join(", ")}, which bd update changes`])
  ].join("")
}

export const run = Effect.fn("bd.create")(function* ({ args, flags }: Input<typeof create>) {
  const tracker = yield* Tracker
  const title = flags.title ?? args.title
  if (flags.file !== undefined) {
    if (title !== undefined)
      return yield* new UsageError({ detail: "a title and --file exclude each other", hint: undefined })
    const alone = Object.entries(flags).find(
      ([flag, value]) => !["file", "force", "dry-run"].includes(flag) && value !== undefined && value !== false
    )
    if (alone !== undefined) {
      const detail = `--${alone[0]} and --file exclude each other`
      return yield* new UsageError({ detail, hint: "the fields of each issue are in the file" })
    }
    const { run: createFrom } = yield* Effect.promise(() => import("./createFrom.ts"))
    return yield* createFrom(flags.file, { dryRun: flags["dry-run"], force: flags.force })
  }
  if (title === undefined) {
    return yield* new UsageError({ detail: "TITLE is missing", hint: "usage: bd create TITLE, or --file FILE" })
  }
  if (args.title !== undefined && flags.title !== undefined && args.title !== flags.title) {
    return yield* new UsageError({ detail: "two different titles are given", hint: "give TITLE or --title, not both" })
  }
  const description = yield* Prose.readOptional(flags.description)
  const design = yield* Prose.readOptional(flags.design)
  const acceptance = yield* Prose.readOptional(flags.acceptance)
  const notes = yield* Prose.readOptional(flags.notes)
  const draft = Effect.map(
    Issue.decodeNewIssue({
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
    }),
    (fields): Draft => ({
      ...fields,
      dependencies: [
        ...(flags.deps ?? []).map(DependencyText.read),
        ...(flags["blocked-by"] ?? []).map(id => ({ id, type: "blocks" }))
      ],
      blocks: flags.blocks ?? [],
      force: flags.force,
      ...(flags.id === undefined ? {} : { id: flags.id }),
      ...(flags.parent === undefined ? {} : { parent: flags.parent })
    })
  )
  let reference: string | undefined
  const attempt = Effect.gen(function* () {
    const given = yield* draft
    const [created] = yield* Effect.catchTag(
      tracker.createMany([given], { dryRun: flags["dry-run"] }),
      "DraftRefused",
      ({ error }) => Effect.fail(error)
    )
    if (created === undefined) return yield* Effect.dieMessage("no issue was made")
    if (created.existed) reference = sameReference(given, created.issue)
    return created.issue
  })
  if (flags["dry-run"]) {
    const issue = yield* attempt
    const fresh = reference === undefined ? [issue] : []
    yield* Output.answer({
      json: () => ({ dry_run: true, created_count: fresh.length, created: fresh.map(Render.json) }),
      text: () =>
        [
          ...fresh.map(issue => created(issue, "Would create issue")),
          "Nothing was created; an id that is not given will be another one."
        ].join("\n")
    })
  } else {
    yield* Change.run(Change.one(attempt), {
      json: ([issue]) => (issue === undefined ? null : Render.json(issue)),
      text: issues =>
        issues
          .map(issue => created(issue, reference === undefined ? "✓ Created issue" : "✓ Issue is there already"))
          .join("\n")
    })
  }
  if (reference !== undefined) yield* Output.note(reference)
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
