/**
 * Projects to measure on: as many issues as asked for, in the shapes real trackers have, the same ones each time.
 *
 * Of all issues a tenth are tombstones; there are half as many dependencies as issues, among them epics three deep;
 * a third carry labels, a quarter comments; descriptions run to a page.
 */

/** Same seed, same numbers (mulberry32), from 0 to below 1. */
const numbers = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const words =
  "store file flush lock merge issue line branch reader writer durable parse queue schedule fiber scope commit row mark base version hash path error retry window debounce import export label comment cycle epic parent child ready blocked “später” naïve 版本 test fails when another process holds the".split(
    " "
  )

const labels = ["backend", "bug-bash", "docs", "flaky", "needs-design", "perf", "security", "ux"]
const people = ["ada", "grace", "linus", "margaret"]

/** One of ten in the tree of epics: an epic, three of its epics below, the rest tasks of those. */
const treeSize = 10

const idOf = (index: number): string => `bench-${(index * 2_654_435_761 + 7).toString(36).padStart(6, "0").slice(-7)}`

/** The lines of a project, sorted by id, each with its terminator. */
export const issueLines = (count: number, seed = 1): ReadonlyArray<string> => {
  const random = numbers(seed)
  const pick = <A>(values: ReadonlyArray<A>): A => {
    const value = values[Math.floor(random() * values.length)]
    if (value === undefined) throw new Error("nothing to pick from")
    return value
  }
  const prose = (length: number) => Array.from({ length }, () => pick(words)).join(" ")
  const instant = (from: number, days: number) => new Date(from + random() * days * 86_400_000).toISOString()
  const start = Date.UTC(2025, 0, 1)
  const parents = new Map<number, number>()
  const issues = Array.from({ length: count }, (_, index) => {
    const at = index % treeSize
    // every second tree has epics: 0 holds 1 and 2, which hold 3 to 6
    const inTree = Math.floor(index / treeSize) % 2 === 0
    if (inTree && at >= 1 && at <= 6) parents.set(index, index - at + Math.floor((at - 1) / 2))
    const id = idOf(index)
    const created = instant(start, 300)
    const updated = instant(Date.parse(created), 30)
    const isEpic = inTree && at <= 2
    const deleted = at === 9
    const closed = !deleted && !isEpic && random() < 0.5
    const dependency = (on: number, type: string) => ({
      issue_id: id,
      depends_on_id: idOf(on),
      type,
      created_at: created,
      created_by: pick(people)
    })
    const parent = parents.get(index)
    const dependencies = [
      ...(parent === undefined ? [] : [dependency(parent, "parent-child")]),
      // always on an earlier issue, so that there is no cycle
      ...(index > 0 && random() < 0.2 ? [dependency(Math.floor(random() * index), "blocks")] : [])
    ]
    return {
      id,
      title: prose(4 + Math.floor(random() * 6)),
      description: prose(20 + Math.floor(random() ** 3 * 160)),
      ...(random() < 0.1 ? { design: prose(40), acceptance_criteria: prose(15) } : {}),
      ...(random() < 0.1 ? { notes: prose(20) } : {}),
      status: deleted ? "tombstone" : closed ? "closed" : pick(["open", "open", "open", "in_progress"]),
      priority: Math.floor(random() * 5),
      issue_type: isEpic ? "epic" : pick(["task", "task", "bug", "feature", "chore"]),
      ...(random() < 0.4 ? { assignee: pick(people) } : {}),
      created_at: created,
      created_by: pick(people),
      updated_at: updated,
      ...(closed ? { closed_at: updated, close_reason: "done" } : {}),
      ...(deleted ? { deleted_at: updated, deleted_by: pick(people), original_type: "task" } : {}),
      ...(random() < 0.33 ? { labels: [...new Set([pick(labels), pick(labels)])].sort() } : {}),
      ...(dependencies.length > 0 ? { dependencies } : {}),
      ...(random() < 0.25
        ? { comments: [{ id: index + 1, issue_id: id, author: pick(people), text: prose(12), created_at: updated }] }
        : {})
    }
  })
  return issues.sort((a, b) => (a.id < b.id ? -1 : 1)).map(issue => `${JSON.stringify(issue)}\n`)
}

/** The ids of living issues in lines of a project. */
export const livingIds = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.flatMap(line => {
    const { id, status } = JSON.parse(line) as { readonly id: string; readonly status: string }
    return status === "tombstone" ? [] : [id]
  })

/** The project after somebody else changed `count` of its issues: a title and the stamp. */
export const changedLines = (lines: ReadonlyArray<string>, count: number): ReadonlyArray<string> => {
  const step = Math.max(1, Math.floor(lines.length / count))
  return lines.map((line, index) => {
    if (index % step !== 0 || index / step >= count) return line
    const issue = JSON.parse(line) as Record<string, unknown>
    return `${JSON.stringify({ ...issue, title: `${issue["title"]} (pulled)`, updated_at: "2026-03-01T00:00:00Z" })}\n`
  })
}

/** The lines of a file, each with its terminator. */
export const toLines = (text: string): ReadonlyArray<string> =>
  text.split("\n").flatMap(line => (line === "" ? [] : [`${line}\n`]))
