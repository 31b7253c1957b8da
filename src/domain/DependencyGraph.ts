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

/**
 * The cycles that are there, brought in by others' lines. Of each knot (issues that all depend on one another) one
 * cycle: `a`, `b`, …, `a`. Tarjan's algorithm, with a stack of its own.
 */
export const findCycles = (edges: Iterable<Edge>): ReadonlyArray<ReadonlyArray<string>> => {
  const next = targets(edges)
  const cycles: Array<ReadonlyArray<string>> = []
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
      const cycle = shortestWay(next, here.id, here.id, id => knot.has(id))
      if (cycle !== undefined) cycles.push(cycle)
    }
  }
  return cycles
}
