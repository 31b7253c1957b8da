import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type Edge, findCycle, findCycles } from "../../src/domain/DependencyGraph.ts"

const edge = (issueId: string, dependsOnId: string, type = "blocks"): Edge => ({ issueId, dependsOnId, type })

const graphs = FastCheck.array(
  FastCheck.tuple(
    FastCheck.integer({ min: 0, max: 7 }),
    FastCheck.integer({ min: 0, max: 7 }),
    FastCheck.constantFrom("blocks", "parent-child", "related")
  ),
  { maxLength: 16 }
).map(edges => edges.map(([from, to, type]) => edge(String(from), String(to), type)))

const isEdge = (edges: ReadonlyArray<Edge>, from: string | undefined, to: string | undefined) =>
  edges.some(edge => edge.issueId === from && edge.dependsOnId === to && edge.type !== "related")

/** Which issues lead to which, by Warshall's algorithm. */
const closure = (edges: ReadonlyArray<Edge>) => {
  const ids = [...Array(8).keys()].map(String)
  const pairs = new Set(edges.filter(edge => edge.type !== "related").map(edge => edge.issueId + edge.dependsOnId))
  for (const via of ids)
    for (const a of ids) for (const b of ids) if (pairs.has(a + via) && pairs.has(via + b)) pairs.add(a + b)
  return pairs
}

describe("DependencyGraph", () => {
  it("contract: a cycle among blocking types is found and shown", () => {
    const edges = [edge("b", "c"), edge("c", "d", "parent-child"), edge("d", "a")]
    expect(findCycle(edges, "a", "b")).toEqual(["a", "b", "c", "d", "a"])
    expect(findCycle(edges, "a", "a")).toEqual(["a", "a"])
    expect(findCycle(edges, "b", "a")).toBeUndefined()
  })

  it("contract: other types of dependency close no cycle", () => {
    expect(findCycle([edge("b", "a", "related"), edge("b", "a", "discovered-from")], "a", "b")).toBeUndefined()
  })

  it("contract: findCycle agrees with the transitive closure, and what it shows is a cycle", () => {
    FastCheck.assert(
      FastCheck.property(graphs, FastCheck.nat(7), FastCheck.nat(7), (edges, a, b) => {
        const [from, to] = [String(a), String(b)]
        const cycle = findCycle(edges, from, to)
        expect(cycle !== undefined).toBe(from === to || closure(edges).has(to + from))
        if (cycle === undefined) return
        expect(cycle.slice(0, 2)).toEqual([from, to])
        expect(cycle.at(-1)).toBe(from)
        const closed = [...edges, edge(from, to)]
        for (let i = 1; i < cycle.length; i++) expect(isEdge(closed, cycle[i - 1], cycle[i])).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  it("contract: findCycles shows one cycle of each knot", () => {
    FastCheck.assert(
      FastCheck.property(graphs, edges => {
        const leadsTo = closure(edges)
        const knotOf = (id: string) =>
          [...Array(8).keys()]
            .map(String)
            .filter(other => leadsTo.has(id + other) && leadsTo.has(other + id))
            .join()
        const knots = new Set([...Array(8).keys()].map(String).map(knotOf))
        knots.delete("")
        const cycles = findCycles(edges)
        expect(new Set(cycles.map(cycle => knotOf(cycle[0] ?? "")))).toEqual(knots)
        expect(cycles.length).toBe(knots.size)
        for (const cycle of cycles) {
          expect(cycle.at(-1)).toBe(cycle[0])
          for (let i = 1; i < cycle.length; i++) expect(isEdge(edges, cycle[i - 1], cycle[i])).toBe(true)
        }
      }),
      { numRuns: 500 }
    )
  })

  it("contract: a chain of 10,000, and a web of 200,000 dependencies, cost neither stack nor time", () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => edge(`i${i}`, `i${i + 1}`))
    expect(findCycle(chain, "i10000", "i0")?.length).toBe(10_002)
    expect(findCycle(chain, "i0", "i10000")).toBeUndefined()
    expect(findCycles([...chain, edge("i10000", "i0")])[0]?.length).toBe(10_002)
    // every issue of a layer depends on all of the next: 10^40 paths
    const web: Array<Edge> = []
    for (let layer = 0; layer < 80; layer++)
      for (let a = 0; a < 50; a++) for (let b = 0; b < 50; b++) web.push(edge(`${layer}-${a}`, `${layer + 1}-${b}`))
    expect(findCycle(web, "x", "0-0")).toBeUndefined()
    expect(findCycles(web)).toEqual([])
  })
})
