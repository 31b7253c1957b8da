import * as Effect from "effect/Effect"
import type { DuplicateGroup } from "../../domain/Duplicates.ts"
import type { Issue } from "../../domain/Issue.ts"
import { type MergedDuplicates, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { duplicates } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

const referencesOf = ({ references }: DuplicateGroup, { id }: Issue): number => references.get(id) ?? 0

const sourceIds = ({ sources }: DuplicateGroup): ReadonlyArray<string> => sources.map(({ id }) => id)

/** As the classic spells it. */
const commands = (group: DuplicateGroup): string =>
  sourceIds(group)
    .map(id => `bd close ${id} && bd dep add ${id} ${group.target.id} --type related`)
    .join(" && ")

const noteOf = (group: DuplicateGroup): string =>
  `Duplicate: ${sourceIds(group).join(", ")} (same content as ${group.target.id})`

/** The classic's shape. */
const groupJson = (group: DuplicateGroup) => ({
  title: group.target.title,
  issues: [group.target, ...group.sources].map(issue => ({
    id: issue.id,
    title: issue.title,
    status: issue.status,
    priority: issue.priority,
    references: referencesOf(group, issue),
    is_merge_target: issue === group.target
  })),
  suggested_target: group.target.id,
  suggested_sources: sourceIds(group),
  suggested_action: commands(group),
  note: noteOf(group)
})

const groupText = (group: DuplicateGroup, number: number): ReadonlyArray<string> => [
  `━━ Group ${number}: ${Escape.line(group.target.title)}`,
  ...[group.target, ...group.sources].map(
    issue =>
      `${issue === group.target ? "→" : " "} ${Escape.line(issue.id)} (${Escape.line(issue.status)}, P${issue.priority}, ${referencesOf(group, issue)} references)`
  ),
  `  Note: ${Escape.line(noteOf(group))}`,
  `  Suggested: ${Escape.line(commands(group))}`,
  ""
]

const document = (groups: ReadonlyArray<DuplicateGroup>) => ({
  duplicate_groups: groups.length,
  groups: groups.map(groupJson)
})

const none = "No duplicates found!"

const found = (groups: ReadonlyArray<DuplicateGroup>, last: string): string =>
  groups.length === 0
    ? none
    : [
        `🔍 Found ${Plural.of(groups.length, "duplicate group")}:\n`,
        ...groups.flatMap((group, i) => groupText(group, i + 1)),
        last
      ].join("\n")

const mergedText = (merged: ReadonlyArray<MergedDuplicates>): string =>
  merged.length === 0
    ? none
    : merged
        .flatMap(({ closed, skipped, target }) => [
          ...closed.map(id => `✓ Closed ${Escape.line(id)} as duplicate of ${Escape.line(target)}`),
          ...skipped.map(
            ({ id, reason }) =>
              `- Left ${Escape.line(id)} as it is, a duplicate of ${Escape.line(target)}: ${Escape.line(reason)}`
          )
        ])
        .join("\n")

export const run = Effect.fn("bd.duplicates")(function* ({ flags }: Input<typeof duplicates>) {
  const tracker = yield* Tracker
  const groups = yield* tracker.duplicates
  if (!flags["auto-merge"] || flags["dry-run"]) {
    const planned = flags["auto-merge"] || flags["dry-run"] ? { merge_commands: groups.map(commands) } : {}
    return yield* Output.answer({
      json: () => ({ ...document(groups), ...planned }),
      text: () =>
        found(
          groups,
          flags["dry-run"] ? "Dry run: nothing was changed" : "💡 Run with --auto-merge to execute all suggested merges"
        )
    })
  }
  yield* Change.run(Change.one(tracker.mergeDuplicates), {
    json: ([merged = []]) => ({
      ...document(groups),
      merge_commands: groups.map(commands),
      merge_results: merged.map(({ closed, skipped, target }) => ({ target, closed, skipped }))
    }),
    text: ([merged = []]) => mergedText(merged)
  })
})
