/**
 * The graph of dependencies: which types block, and where a cycle is.
 *
 * Linear in the edges and iterative, so that a chain of ten thousand costs neither time nor stack.
 */

/** `issueId` depends on `dependsOnId`. */
export interface Edge {
  readonly issueId: string
  readonly dependsOnId: string
  readonly type: string
}

/** Whether dependencies of this type hold work up: `blocks` directly, `parent-child` by passing it on. */
export const isBlocking = (type: string): boolean => type === "blocks" || type === "parent-child"

/** Of each issue, those that it depends on by a blocking type. */
const targets = (edges: Iterable<Edge>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const out = new Map<string, Array<string>>()
  for (const edge of edges) {
    if (!isBlocking(edge.type)) continue
    const known = out.get(edge.issueId)
    if (known === undefined) out.set(edge.issueId, [edge.dependsOnId])
    else known.push(edge.dependsOnId)
  }
  return out
}

/** The shortest way from `start` to `goal`, both included, along at least one dependency. */
const shortestWay = (
  next: ReadonlyMap<string, ReadonlyArray<string>>,
  start: string,
  goal: string,
  isAllowed: (id: string) => boolean
): ReadonlyArray<string> | undefined => {
  const reachedFrom = new Map<string, string>()
  const queue = [start]
  for (const id of queue) {
    for (const target of next.get(id) ?? []) {
      if (target === goal) {
        const back = [goal]
        let step: string | undefined = id
        while (step !== undefined) {
          back.push(step)
          step = step === start ? undefined : reachedFrom.get(step)
        }
        return back.reverse()
      }
      if (!reachedFrom.has(target) && isAllowed(target)) {
        reachedFrom.set(target, id)
        queue.push(target)
      }
    }
  }
  return undefined
}

/**
 * The cycle that a blocking dependency of `from` on `to` would close: `from`, `to`, …, `from`, each depending on the
 * next, by the shortest way. `undefined` if there is none.
 */
export const findCycle = (edges: Iterable<Edge>, from: string, to: string): ReadonlyArray<string> | undefined => {
  if (from === to) return [from, from]
  const way = shortestWay(targets(edges), to, from, () => true)
  return way === undefined ? undefined : [from, ...way]
}

/** The knots: issues that all depend on one another, of two or more. Tarjan's algorithm, with a stack of its own. */
const knotsIn = (next: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlySet<string>> => {
  const knots: Array<ReadonlySet<string>> = []
  /** When an issue was first met, and the earliest on the stack that it leads to. */
  const met = new Map<string, { readonly order: number; low: number; onStack: boolean }>()
  const stack: Array<string> = []
  const meet = (id: string) => {
    const visit = { order: met.size, low: met.size, onStack: true }
    met.set(id, visit)
    stack.push(id)
    return { id, visit, tried: 0 }
  }
  for (const root of next.keys()) {
    if (met.has(root)) continue
    const way = [meet(root)]
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const target = next.get(here.id)?.[here.tried++]
      if (target !== undefined) {
        const seen = met.get(target)
        if (seen === undefined) way.push(meet(target))
        else if (seen.onStack) here.visit.low = Math.min(here.visit.low, seen.order)
        continue
      }
      way.pop()
      const outer = way.at(-1)
      if (outer !== undefined) outer.visit.low = Math.min(outer.visit.low, here.visit.low)
      if (here.visit.low !== here.visit.order) continue
      // nothing here leads further back: what lies on the stack from here on is one knot
      const knot = new Set(stack.splice(stack.lastIndexOf(here.id)))
      for (const id of knot) {
        const visit = met.get(id)
        if (visit !== undefined) visit.onStack = false
      }
      if (knot.size > 1 || next.get(here.id)?.includes(here.id) === true) knots.push(knot)
    }
  }
  return knots
}

/**
 * The cycles that are there, brought in by others' lines. Of each knot (issues that all depend on one another) one
 * cycle: `a`, `b`, …, `a`.
 */
export const findCycles = (edges: Iterable<Edge>): ReadonlyArray<ReadonlyArray<string>> => {
  const next = targets(edges)
  return knotsIn(next).flatMap(knot => {
    const [start = ""] = knot
    const cycle = shortestWay(next, start, start, id => knot.has(id))
    return cycle === undefined ? [] : [cycle]
  })
}

/** Of dependencies that are about to be added, the first that would close a cycle: with it, as `findCycle` gives it. */
export const firstToClose = <E extends Edge>(
  edges: Iterable<Edge>,
  added: ReadonlyArray<E>
): { readonly edge: E; readonly path: ReadonlyArray<string> } | undefined => {
  const all = [...edges, ...added]
  const knotOf = new Map<string, number>()
  for (const [number, knot] of knotsIn(targets(all)).entries()) for (const id of knot) knotOf.set(id, number)
  for (const edge of added) {
    const knot = knotOf.get(edge.issueId)
    if (!isBlocking(edge.type) || knot === undefined || knot !== knotOf.get(edge.dependsOnId)) continue
    const path = findCycle(all, edge.issueId, edge.dependsOnId)
    if (path !== undefined) return { edge, path }
  }
  return undefined
}

/** All that descends from an issue by `parent-child`, without itself. */
export const descendants = (edges: Iterable<Edge>, root: string): ReadonlySet<string> => {
  const children = new Map<string, Array<string>>()
  for (const edge of edges) {
    if (edge.type !== "parent-child") continue
    const known = children.get(edge.dependsOnId)
    if (known === undefined) children.set(edge.dependsOnId, [edge.issueId])
    else known.push(edge.issueId)
  }
  const reached = new Set([root])
  for (const id of reached) for (const child of children.get(id) ?? []) reached.add(child)
  reached.delete(root)
  return reached
}

/** One issue in a tree of dependencies. */
export interface TreeNode {
  readonly id: string
  /** 0 for the root. */
  readonly depth: number
  /** The issue it stands below; the root's own id for the root. */
  readonly parentId: string
  /** What lies below was left out: the tree is cut here. */
  readonly truncated: boolean
  /** What it leads to as well, and what has its place elsewhere in the tree. */
  readonly elsewhere: ReadonlyArray<string>
}

/** More nodes than anyone reads: ways through a graph can be more than there are atoms. */
const mostNodes = 10_000

/**
 * The tree below an issue, each node followed by what is below it. `next` gives, in the order to show, what an issue
 * leads to. An issue that several ways lead to stands where the shortest does; with `allPaths` once for each way, where a
 * way that comes back to itself ends.
 */
export const tree = (
  root: string,
  next: (id: string) => ReadonlyArray<string>,
  options: { readonly maxDepth: number; readonly allPaths: boolean }
): ReadonlyArray<TreeNode> => {
  const { allPaths, maxDepth } = options
  /** Of each issue, those for which it is the first on a shortest way. */
  const below = new Map<string, Array<string>>()
  const depths = new Map([[root, 0]])
  if (!allPaths) {
    for (const [id, depth] of depths) {
      const own: Array<string> = []
      for (const target of next(id)) {
        if (depths.has(target)) continue
        depths.set(target, depth + 1)
        own.push(target)
      }
      below.set(id, own)
    }
  }
  const nodes: Array<TreeNode> = []
  interface Step {
    readonly id: string
    readonly depth: number
    readonly above: Step | undefined
  }
  const isOnWay = (id: string, step: Step): boolean => {
    for (let at: Step | undefined = step; at !== undefined; at = at.above) if (at.id === id) return true
    return false
  }
  const open: Array<Step> = [{ id: root, depth: 0, above: undefined }]
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const here = step
    const all = next(here.id)
    const own = new Set(allPaths ? all.filter(id => !isOnWay(id, here)) : below.get(here.id))
    const targets = [...own]
    const isDeep = here.depth >= maxDepth
    const isCut = isDeep
      ? targets.length > 0 || all.some(id => (depths.get(id) ?? 0) > maxDepth)
      : targets.length > 0 && nodes.length + open.length >= mostNodes
    const elsewhere = isDeep ? [] : all.filter(id => !own.has(id))
    nodes.push({ id: here.id, depth: here.depth, parentId: here.above?.id ?? here.id, truncated: isCut, elsewhere })
    if (isCut) continue
    for (const id of [...targets].reverse()) open.push({ id, depth: here.depth + 1, above: here })
  }
  return nodes
}
