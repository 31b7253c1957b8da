/**
 * Issues of equal content. They stay two until somebody merges them: identity is the id, never the content (G24). Pure.
 */
import * as IdRenaming from "./IdRenaming.ts"
import type { Issue } from "./Issue.ts"

/** Issues that say the same, at least two. */
export interface DuplicateGroup {
  /** The one to keep: the one referred to most, of equal ones the one with the smallest id. */
  readonly target: Issue
  /** The others, by id. */
  readonly sources: ReadonlyArray<Issue>
  /** How often others mention or depend on an issue, by id. */
  readonly references: ReadonlyMap<string, number>
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0

/** References of other issues, in their texts and by their dependencies, to each of `ids`. */
const countReferences = (issues: ReadonlyArray<Issue>, ids: ReadonlySet<string>): ReadonlyMap<string, number> => {
  const counts = new Map([...ids].map(id => [id, 0]))
  for (const { acceptance_criteria, dependencies, description, design, id, notes, title } of issues) {
    const mentioned = [title, description, design, acceptance_criteria, notes].flatMap(text =>
      text === undefined ? [] : IdRenaming.words(text)
    )
    for (const other of [...mentioned, ...dependencies.map(({ depends_on_id }) => depends_on_id)]) {
      const count = counts.get(other)
      if (count !== undefined && other !== id) counts.set(other, count + 1)
    }
  }
  return counts
}

/** What two issues must agree in. Children of different parents have the same title for good reasons. */
const contentOf = ({ acceptance_criteria, dependencies, description, design, status, title }: Issue): string =>
  JSON.stringify([
    title,
    description,
    design ?? "",
    acceptance_criteria ?? "",
    status,
    dependencies
      .filter(({ type }) => type === "parent-child")
      .map(({ depends_on_id }) => depends_on_id)
      .sort()
  ])

/** The groups among those of `issues` that are not closed, by the id of their target. `issues`: all that are alive. */
export const find = (issues: ReadonlyArray<Issue>): ReadonlyArray<DuplicateGroup> => {
  const groups = new Map<string, Array<Issue>>()
  for (const issue of issues) {
    if (issue.status === "closed") continue
    const content = contentOf(issue)
    const group = groups.get(content)
    if (group === undefined) groups.set(content, [issue])
    else group.push(issue)
  }
  const doubled = [...groups.values()].filter(group => group.length > 1)
  const references = countReferences(issues, new Set(doubled.flat().map(({ id }) => id)))
  const count = ({ id }: Issue) => references.get(id) ?? 0
  return doubled
    .flatMap(group => {
      const [target, ...sources] = [...group].sort((a, b) => count(b) - count(a) || byId(a, b))
      return target === undefined ? [] : [{ target, sources: sources.sort(byId), references }]
    })
    .sort((a, b) => byId(a.target, b.target))
}
