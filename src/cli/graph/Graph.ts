/**
 * The issues of a graph and what links them, as `bd graph` shows them. Pure.
 *
 * An edge runs in the order of work: from what comes first (the blocker, the parent, the source of a discovery) to what
 * comes after it.
 */
import type { Issue } from "../../domain/Issue.ts"

/** What an issue is to whoever looks for work. `other`: a status that this version does not know. */
export type State = "ready" | "in_progress" | "waiting" | "deferred" | "closed" | "other"

export interface Node {
  readonly issue: Issue
  readonly state: State
  /** Ids of what holds it up, directly or through a parent. */
  readonly waitsFor: ReadonlyArray<string>
  /** Of something that has children: how many there are, and how many of them are closed. */
  readonly children: { readonly all: number; readonly closed: number } | undefined
}

export interface Edge {
  readonly from: string
  readonly to: string
  readonly type: string
}

export interface Graph {
  /** The issues that were asked for; none: all. */
  readonly roots: ReadonlyArray<string>
  readonly nodes: ReadonlyArray<Node>
  readonly edges: ReadonlyArray<Edge>
}

export interface Scope {
  /** These, what they hang on, and what hangs on them, however far. None: all. */
  readonly roots: ReadonlyArray<string>
  /** Without roots: closed ones too. */
  readonly closed: boolean
}

const stateOf = (status: string, waits: boolean): State => {
  switch (status) {
    case "open":
      return waits ? "waiting" : "ready"
    case "blocked":
      return "waiting"
    case "in_progress":
    case "deferred":
    case "closed":
      return status
    default:
      return "other"
  }
}

const add = (map: Map<string, Array<string>>, key: string, value: string): void => {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}

/** Whatever can be reached from `starts`, and these. */
const reached = (starts: ReadonlyArray<string>, next: ReadonlyMap<string, ReadonlyArray<string>>) => {
  const seen = new Set(starts)
  for (const id of seen) for (const other of next.get(id) ?? []) seen.add(other)
  return seen
}

/** `waits`: of each issue that waits, what it waits for. */
export const make = (
  issues: ReadonlyArray<Issue>,
  waits: ReadonlyMap<string, ReadonlyArray<string>>,
  scope: Scope
): Graph => {
  const known = new Map(issues.map(issue => [issue.id, issue]))
  const before = new Map<string, Array<string>>()
  const after = new Map<string, Array<string>>()
  const children = new Map<string, { all: number; closed: number }>()
  const edges: Array<Edge> = []
  for (const { dependencies, id, status } of issues) {
    for (const { depends_on_id, type } of dependencies) {
      // what does not exist, or no more, has no place in the graph
      if (!known.has(depends_on_id)) continue
      edges.push({ from: depends_on_id, to: id, type })
      add(before, id, depends_on_id)
      add(after, depends_on_id, id)
      if (type !== "parent-child") continue
      const count = children.get(depends_on_id) ?? { all: 0, closed: 0 }
      children.set(depends_on_id, { all: count.all + 1, closed: count.closed + (status === "closed" ? 1 : 0) })
    }
  }
  const near = new Set([...reached(scope.roots, before), ...reached(scope.roots, after)])
  const isShown = ({ id, status }: Issue): boolean =>
    scope.roots.length > 0 ? near.has(id) : scope.closed || status !== "closed"
  const nodes = issues.filter(isShown).map(issue => {
    const waitsFor = waits.get(issue.id) ?? []
    return { issue, state: stateOf(issue.status, waitsFor.length > 0), waitsFor, children: children.get(issue.id) }
  })
  const shown = new Set(nodes.map(({ issue }) => issue.id))
  return { roots: scope.roots, nodes, edges: edges.filter(({ from, to }) => shown.has(from) && shown.has(to)) }
}

const isBlocking = (type: string): boolean => type === "blocks" || type === "parent-child"

/**
 * The parts of a graph that belong together, the largest first; ids in the order of the nodes. What blocks and whose
 * child it is decides; another link takes an issue along that has no such links, and else runs from part to part, or
 * all would be one.
 */
export const components = ({ edges, nodes }: Graph): ReadonlyArray<ReadonlyArray<string>> => {
  const part = new Map(nodes.map(({ issue }) => [issue.id, [issue.id]]))
  const join = (from: string, to: string, isAllowed: (sizes: ReadonlyArray<number>) => boolean) => {
    const [a, b] = [part.get(from) ?? [], part.get(to) ?? []].sort((x, y) => y.length - x.length)
    if (a === undefined || b === undefined || a === b || !isAllowed([a.length, b.length])) return
    for (const id of b) {
      a.push(id)
      part.set(id, a)
    }
  }
  for (const { from, to, type } of edges) if (isBlocking(type)) join(from, to, () => true)
  for (const { from, to, type } of edges) if (!isBlocking(type)) join(from, to, sizes => sizes.includes(1))
  const place = new Map(nodes.map(({ issue }, at) => [issue.id, at]))
  return [...new Set(part.values())]
    .map(ids => ids.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0)))
    .sort((a, b) => b.length - a.length)
}
