import * as Effect from "effect/Effect"
import type * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { count } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"

type By = NonNullable<Input<typeof count>["flags"]["by"]>

/** The groups an issue counts in: one of each kind, but as many labels as it has. */
const groupsOf: Readonly<Record<By, (issue: Issue.Issue) => ReadonlyArray<string>>> = {
  status: ({ status }) => [status],
  priority: ({ priority }) => [`P${priority}`],
  type: ({ issue_type }) => [issue_type],
  assignee: ({ assignee }) => [assignee || "(unassigned)"],
  label: ({ labels }) => (labels.length === 0 ? ["(no labels)"] : labels)
}

const grouped = (by: By, issues: ReadonlyArray<Issue.Issue>) => {
  const counts = new Map<string, number>()
  for (const group of issues.flatMap(groupsOf[by])) counts.set(group, (counts.get(group) ?? 0) + 1)
  return [...counts].map(([group, count]) => ({ group, count })).sort((a, b) => (a.group < b.group ? -1 : 1))
}

export const run = Effect.fn("bd.count")(function* ({ flags }: Input<typeof count>) {
  const tracker = yield* Tracker
  const filter = yield* Filters.list(flags)
  const { by } = flags
  if (by === undefined) {
    // only the number is wanted, and a page of one tells it
    const { total } = yield* tracker.list({ ...filter, limit: 1 })
    return yield* Output.answer({ json: () => ({ count: total }), text: () => String(total) })
  }
  const { items, total } = yield* tracker.list(filter)
  const groups = grouped(
    by,
    items.map(({ issue }) => issue)
  )
  yield* Output.answer({
    json: () => ({ total, groups }),
    text: () =>
      [`Total: ${total}`, "", ...groups.map(({ count, group }) => `${Escape.line(group)}: ${count}`)].join("\n")
  })
})
