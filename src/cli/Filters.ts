/** Flags as conditions on issues. */
import * as Effect from "effect/Effect"
import * as Instant from "../domain/Instant.ts"
import * as Issue from "../domain/Issue.ts"
import { InvalidFlag } from "./CliError.ts"
import type { FlagsOf } from "./CommandSpec.ts"
import type { filterFlags } from "./specs/Parts.ts"

/** The conditions that were given; an absent key is no condition. */
export const given = <A extends object>(filter: A): { readonly [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof A]?: Exclude<A[K], undefined>
  }

/** Priorities as people write them. */
export const priorities = (texts: ReadonlyArray<string> | undefined) =>
  texts === undefined ? Effect.succeed(undefined) : Effect.forEach(texts, Issue.decodePriority)

const priority = (text: string | undefined) =>
  text === undefined ? Effect.succeed(undefined) : Issue.decodePriority(text)

/** A time as people write it: a day, a time without zone (UTC), or RFC 3339. */
const instant = (flag: string, text: string | undefined) => {
  if (text === undefined) return Effect.succeed(undefined)
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text
  return Instant.parse(full) === undefined
    ? Effect.fail(
        new InvalidFlag({ flag: `--${flag}`, value: text, expected: "2026-01-31, 2026-01-31T12:00:00 or RFC 3339" })
      )
    : Effect.succeed(full)
}

/** The filter that the flags of `list`, `search` and `count` describe. */
export const list = Effect.fnUntraced(function* (flags: FlagsOf<typeof filterFlags>) {
  return given({
    statuses: flags.status,
    types: flags.type,
    priorities: yield* priorities(flags.priority),
    priorityMin: yield* priority(flags["priority-min"]),
    priorityMax: yield* priority(flags["priority-max"]),
    assignee: flags.assignee,
    unassigned: flags["no-assignee"] || undefined,
    labels: flags.label,
    labelsAny: flags["label-any"],
    unlabeled: flags["no-labels"] || undefined,
    ids: flags.id,
    parent: flags.parent,
    titleContains: flags["title-contains"] ?? flags.title,
    descriptionContains: flags["desc-contains"],
    notesContains: flags["notes-contains"],
    emptyDescription: flags["empty-description"] || undefined,
    createdAfter: yield* instant("created-after", flags["created-after"]),
    createdBefore: yield* instant("created-before", flags["created-before"]),
    updatedAfter: yield* instant("updated-after", flags["updated-after"]),
    updatedBefore: yield* instant("updated-before", flags["updated-before"]),
    closedAfter: yield* instant("closed-after", flags["closed-after"]),
    closedBefore: yield* instant("closed-before", flags["closed-before"])
  })
})
