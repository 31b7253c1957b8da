/**
 * Where the cards of a graph lie and how the lines run between them: from left to right in the order of work.
 *
 * Each part that hangs together is laid out by dagre, and the parts are packed into a page of about the shape of a
 * screen. Issues that nothing links come below, in rows. Pure.
 */
import { Graph as Dagre, layout as dagreLayout } from "@dagrejs/dagre"
import * as Graph from "./Graph.ts"

export const card = { width: 236, height: 62 } as const

const gap = { across: 18, along: 64, parts: 44 } as const

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** Of each issue, the upper left corner of its card. */
  readonly cards: ReadonlyMap<string, Point>
  /** A line for each edge of the graph, in their order. */
  readonly lines: ReadonlyArray<ReadonlyArray<Point>>
  /** Where the heading of the issues without links stands, if there are any. */
  readonly unlinked: { readonly y: number; readonly count: number } | undefined
}

interface Part {
  readonly width: number
  readonly height: number
  readonly cards: ReadonlyMap<string, Point>
  /** By the place of the edge in the graph. */
  readonly lines: ReadonlyMap<number, ReadonlyArray<Point>>
}

type PlacedEdge = Graph.Edge & { readonly at: number }

/** Above this dagre takes seconds; it also sets a point into each column that a line passes. */
const most = { cards: 1200, points: 4000 } as const

/** The column of each issue: one further than the furthest of what comes before it. Cycles are cut where they are met. */
const columnsOf = (ids: ReadonlyArray<string>, edges: ReadonlyArray<Graph.Edge>): ReadonlyMap<string, number> => {
  const next = new Map<string, Array<string>>()
  const open = new Map(ids.map(id => [id, 0]))
  for (const { from, to } of edges) {
    if (from === to) continue
    next.set(from, [...(next.get(from) ?? []), to])
    open.set(to, (open.get(to) ?? 0) + 1)
  }
  const columns = new Map<string, number>()
  const least = new Map<string, number>()
  const queue = ids.filter(id => open.get(id) === 0)
  const rest = [...ids].reverse()
  while (columns.size < ids.length) {
    const id = queue.pop() ?? rest.pop()
    if (id === undefined) break
    if (columns.has(id)) continue
    const column = least.get(id) ?? 0
    columns.set(id, column)
    for (const to of next.get(id) ?? []) {
      least.set(to, Math.max(least.get(to) ?? 0, column + 1))
      const left = (open.get(to) ?? 0) - 1
      open.set(to, left)
      if (left === 0) queue.push(to)
    }
  }
  return columns
}

const origin: Point = { x: 0, y: 0 }

/** A line between two cards wherever they are, from the side of one that faces the other. */
const across = (from: Point, to: Point): ReadonlyArray<Point> => {
  const middle = card.height / 2
  const [start, end] =
    from.x + card.width <= to.x ? [card.width, 0] : to.x + card.width <= from.x ? [0, card.width] : []
  if (start !== undefined && end !== undefined) {
    const bend = (from.x + start + to.x + end) / 2
    return [
      { x: from.x + start, y: from.y + middle },
      { x: bend, y: from.y + middle },
      { x: bend, y: to.y + middle },
      { x: to.x + end, y: to.y + middle }
    ]
  }
  const down = from.y < to.y
  return [
    { x: from.x + card.width / 2, y: from.y + (down ? card.height : 0) },
    { x: to.x + card.width / 2, y: to.y + (down ? 0 : card.height) }
  ]
}

/** A plain layout in columns, in linear time, for what is too much for dagre. */
const inColumns = (
  ids: ReadonlyArray<string>,
  edges: ReadonlyArray<PlacedEdge>,
  columns: ReadonlyMap<string, number>
): Part => {
  const filled: Array<number> = []
  const cards = new Map<string, Point>()
  for (const id of ids) {
    const column = columns.get(id) ?? 0
    const row = filled[column] ?? 0
    filled[column] = row + 1
    cards.set(id, { x: column * (card.width + gap.along), y: row * (card.height + gap.across) })
  }
  const lines = edges.map(
    ({ at, from, to }) => [at, across(cards.get(from) ?? origin, cards.get(to) ?? origin)] as const
  )
  return {
    width: filled.length * (card.width + gap.along) - gap.along,
    height: filled.reduce((high, rows) => Math.max(high, rows), 0) * (card.height + gap.across) - gap.across,
    cards,
    lines: new Map(lines)
  }
}

/** A line that runs forwards leaves and meets the cards in the middle of their sides, where its arrow is seen. */
const fromSides = (points: ReadonlyArray<Point>, from: Point, to: Point): ReadonlyArray<Point> => {
  const [start, end] = [from.x + card.width, to.x]
  if (end - start < gap.along / 2) return points
  const [above, below] = [from.y + card.height / 2, to.y + card.height / 2]
  const step = gap.along / 3
  // from one column to the next nothing is in the way
  const between = end - start < gap.along * 1.5 ? [] : points.slice(1, -1)
  return [
    { x: start, y: above },
    { x: start + step, y: above },
    ...between.filter(({ x }) => x > start + step && x < end - step),
    { x: end - step, y: below },
    { x: end, y: below }
  ]
}

/** How much an edge asks to be straight and to run forwards. */
const weights: Readonly<Record<string, number>> = { blocks: 6, "parent-child": 2 }

const byDagre = (ids: ReadonlyArray<string>, edges: ReadonlyArray<PlacedEdge>): Part => {
  const dagre = new Dagre({ multigraph: true })
  dagre.setGraph({ rankdir: "LR", nodesep: gap.across, ranksep: gap.along, edgesep: 10, acyclicer: "greedy" })
  for (const id of ids) dagre.setNode(id, { width: card.width, height: card.height })
  for (const { at, from, to, type } of edges) dagre.setEdge(from, to, { weight: weights[type] ?? 1 }, String(at))
  dagreLayout(dagre)
  const { height = 0, width = 0 } = dagre.graph() as { readonly height?: number; readonly width?: number }
  const cards = ids.map(id => {
    const { x, y } = dagre.node(id) as Point
    return [id, { x: x - card.width / 2, y: y - card.height / 2 }] as const
  })
  const corners = new Map(cards)
  const lines = edges.map(({ at, from, to }) => {
    const { points } = dagre.edge(from, to, String(at)) as { readonly points: ReadonlyArray<Point> }
    return [at, fromSides(points, corners.get(from) ?? origin, corners.get(to) ?? origin)] as const
  })
  return { width, height, cards: corners, lines: new Map(lines) }
}

const partOf = (ids: ReadonlyArray<string>, edges: ReadonlyArray<PlacedEdge>): Part => {
  const columns = columnsOf(ids, edges)
  const points = edges.reduce(
    (sum, { from, to }) => sum + Math.abs((columns.get(to) ?? 0) - (columns.get(from) ?? 0)),
    0
  )
  if (ids.length > most.cards || points > most.points) return inColumns(ids, edges, columns)
  try {
    return byDagre(ids, edges)
  } catch {
    // some odd graphs are beyond it: what it would have drawn is worth less than any picture
    return inColumns(ids, edges, columns)
  }
}

/** A stretch of the edge along which parts are set: below `y` it is free. */
interface Stretch {
  readonly x: number
  readonly width: number
  readonly y: number
}

/** Sets each box where there is the most room above, from the left. Boxes that are high come first. */
const pack = (boxes: ReadonlyArray<{ readonly width: number; readonly height: number }>, width: number) => {
  let skyline: ReadonlyArray<Stretch> = [{ x: 0, width, y: 0 }]
  return boxes.map(box => {
    let best: Point | undefined
    for (const [i, { x }] of skyline.entries()) {
      if (x + box.width > width && x > 0) continue
      let y = 0
      for (const other of skyline.slice(i)) {
        if (other.x >= x + box.width) break
        y = Math.max(y, other.y)
      }
      if (best === undefined || y < best.y) best = { x, y }
    }
    const { x, y } = best ?? origin
    const end = x + box.width
    const next: Array<Stretch> = []
    for (const stretch of skyline) {
      const [from, to] = [stretch.x, stretch.x + stretch.width]
      if (from < x) next.push({ ...stretch, width: Math.min(to, x) - from })
      if (to > end) next.push({ ...stretch, x: Math.max(from, end), width: to - Math.max(from, end) })
    }
    next.push({ x, width: box.width, y: y + box.height })
    skyline = next.sort((a, b) => a.x - b.x)
    return { x, y }
  })
}

/** How many times wider than high a page is to be. */
const shape = 1.6

export const make = (graph: Graph.Graph): Layout => {
  const all = Graph.components(graph)
  const partAt = new Map(all.flatMap((ids, part) => ids.map(id => [id, part] as const)))
  const edgesOf: Array<Array<PlacedEdge>> = all.map(() => [])
  const isWithin = ({ from, to }: Graph.Edge) => partAt.get(from) === partAt.get(to)
  for (const [at, edge] of graph.edges.entries()) {
    if (isWithin(edge)) edgesOf[partAt.get(edge.from) ?? 0]?.push({ ...edge, at })
  }
  const isLinked = (ids: ReadonlyArray<string>) => ids.length > 1
  const parts = all
    .flatMap((ids, i) => (isLinked(ids) ? [partOf(ids, edgesOf[i] ?? [])] : []))
    .sort((a, b) => b.height - a.height || b.width - a.width)
  const alone = all.flatMap(ids => (isLinked(ids) ? [] : ids))

  const boxes = parts.map(part => ({ width: part.width + gap.parts, height: part.height + gap.parts }))
  const cell = { width: card.width + gap.across, height: card.height + gap.across }
  const area = boxes.reduce((sum, box) => sum + box.width * box.height, 0) + alone.length * cell.width * cell.height
  const width = boxes.reduce((wide, box) => Math.max(wide, box.width), Math.sqrt(area * shape) + cell.width / 2)
  const corners = pack(boxes, width)

  const cards = new Map<string, Point>()
  const lines: Array<ReadonlyArray<Point>> = graph.edges.map(() => [])
  let height = 0
  for (const [i, part] of parts.entries()) {
    const { x, y } = corners[i] ?? origin
    const moved = (point: Point): Point => ({ x: point.x + x, y: point.y + y })
    for (const [id, corner] of part.cards) cards.set(id, moved(corner))
    for (const [at, points] of part.lines) lines[at] = points.map(moved)
    height = Math.max(height, y + part.height + gap.parts)
  }
  const top = parts.length === 0 ? 0 : height + 20
  const columns = Math.max(1, Math.floor((width + gap.across) / cell.width))
  for (const [i, id] of alone.entries()) {
    cards.set(id, { x: (i % columns) * cell.width, y: top + Math.floor(i / columns) * cell.height })
  }
  for (const [at, edge] of graph.edges.entries()) {
    if (!isWithin(edge)) lines[at] = across(cards.get(edge.from) ?? origin, cards.get(edge.to) ?? origin)
  }
  const bottom =
    alone.length === 0 ? height - gap.parts : top + Math.ceil(alone.length / columns) * cell.height - gap.across
  const right = [...cards.values()].reduce((far, { x }) => Math.max(far, x + card.width), 0)
  return {
    width: Math.ceil(right),
    height: Math.max(0, Math.ceil(bottom)),
    cards,
    lines,
    unlinked: alone.length === 0 || parts.length === 0 ? undefined : { y: top - 14, count: alone.length }
  }
}
