/**
 * The page that `bd graph` writes: one file, which loads nothing. The picture is SVG, and stands without the script;
 * the script moves and searches it, and shows the text of an issue.
 *
 * Every text of an issue goes through `html` or `embedded`, and the page's own policy lets nothing run but the script
 * made here (G33). Pure.
 */
import { createHash } from "node:crypto"
import * as Escape from "../Escape.ts"
import * as Plural from "../Plural.ts"
import * as TextWidth from "../TextWidth.ts"
import type * as Graph from "./Graph.ts"
import * as Layout from "./Layout.ts"
import style from "./page.css?raw"
import script from "./page.js?raw"

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Text in an element or a quoted attribute. */
const html = (text: string): string => Escape.text(text).replace(/[&<>"']/g, char => entities[char] ?? char)

/** A document in a `script` element: no text in it can end that. */
const embedded = (document: unknown): string =>
  Escape.json(JSON.stringify(document)).replace(/[<>&]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`)

const stateNames: Readonly<Record<Graph.State, string>> = {
  ready: "ready",
  in_progress: "in progress",
  waiting: "waits",
  deferred: "deferred",
  closed: "closed",
  other: "other"
}

const states = Object.keys(stateNames) as ReadonlyArray<Graph.State>

/** What the state of an issue is called; a status that this version does not know by its own name. */
const word = ({ issue, state }: Graph.Node): string => (state === "other" ? issue.status : stateNames[state])

/** One shape a state, for whoever does not see the colours. */
const signs = `<symbol id="sign-ready" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.8"/></symbol>
<symbol id="sign-in_progress" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M6 1.4a4.6 4.6 0 0 1 0 9.2z" fill="currentColor"/></symbol>
<symbol id="sign-waiting" viewBox="0 0 12 12"><path d="M3.7.5h4.6L11.5 3.7v4.6L8.3 11.5H3.7L.5 8.3V3.7z" fill="currentColor"/><path d="M3.2 6h5.6" stroke="#fff" stroke-width="1.8"/></symbol>
<symbol id="sign-deferred" viewBox="0 0 12 12"><path d="M3.8 1.5v9M8.2 1.5v9" stroke="currentColor" stroke-width="2.4"/></symbol>
<symbol id="sign-closed" viewBox="0 0 12 12"><path d="M1.5 6.5l3 3.2 6-7" fill="none" stroke="currentColor" stroke-width="2"/></symbol>
<symbol id="sign-other" viewBox="0 0 12 12"><path d="M6 1l5.2 9.5H.8z" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>
<marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="arrow" d="M0 .6L8 4 0 7.4z"/></marker>
<marker id="arrow-faint" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path class="arrow faint" d="M0 .6L8 4 0 7.4z"/></marker>`

/** How the kinds of links are drawn, in the order of the legend. Any other is a thin line. */
const links: ReadonlyArray<readonly [type: string, meaning: string]> = [
  ["blocks", "blocks"],
  ["parent-child", "parent → child"],
  ["discovered-from", "led to the discovery of"],
  ["related", "related"]
]

const drawn: ReadonlySet<string> = new Set(links.map(([type]) => type))

const classOf = (type: string): string => (drawn.has(type) ? ` ${type}` : "")

/** `related` has no direction. */
const arrowOf = (type: string): string =>
  type === "blocks" ? ' marker-end="url(#arrow)"' : type === "related" ? "" : ' marker-end="url(#arrow-faint)"'

const round = (value: number): string => String(Math.round(value * 10) / 10)

const at = ({ x, y }: Layout.Point): string => `${round(x)} ${round(y)}`

/** A line that bends at its points without a corner. */
const curve = (points: ReadonlyArray<Layout.Point>): string => {
  const [first, ...others] = points
  const last = others.pop()
  if (first === undefined || last === undefined) return ""
  const bends = others.map((point, i) => {
    const next = others[i + 1] ?? last
    const end = i === others.length - 1 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${at(point)} ${at(end)}`
  })
  return `M${at(first)}${bends.length === 0 ? `L${at(last)}` : bends.join("")}`
}

/** A link of an issue to itself, which only other tools make. */
const loop = ({ x, y }: Layout.Point): string => {
  const right = x + Layout.card.width
  return `M${round(right - 30)} ${round(y)}c0 -16 46 -16 30 20`
}

const edgeOf = ({ from, to, type }: Graph.Edge, path: string): string =>
  `<path class="edge${classOf(type)}" d="${path}"${arrowOf(type)}><title>${html(`${from} → ${to} (${type})`)}</title></path>`

/** Cells of text to a line of a card, by what a character takes on average. */
const cells = { id: 22, title: 33 } as const

const kindOf = ({ children, issue: { issue_type, priority } }: Graph.Node): string =>
  `P${priority} · ${issue_type}${children === undefined ? "" : ` ${children.closed}/${children.all}`}`

const cardOf = (node: Graph.Node, corner: Layout.Point): string => {
  const { issue, state } = node
  const { height, width } = Layout.card
  const isEpic = issue.issue_type === "epic"
  const lines = TextWidth.wrap(Escape.line(issue.title), cells.title, 2)
  const kind = TextWidth.cut(Escape.line(kindOf(node)), 20)
  const id = TextWidth.cut(Escape.line(issue.id), Math.max(8, cells.id + 10 - TextWidth.of(kind)))
  return [
    `<g class="card ${state}${isEpic ? " epic" : ""}" transform="translate(${at(corner)})">`,
    `<title>${html(`${issue.id}: ${issue.title} (${word(node)}, ${kindOf(node)})`)}</title>`,
    `<rect width="${width}" height="${height}" rx="${isEpic ? 2 : 8}"/>`,
    isEpic ? `<rect class="rim" x="3" y="3" width="${width - 6}" height="${height - 6}"/>` : "",
    `<g class="sign"><rect class="bar" x="0" y="8" width="4" height="${height - 16}" rx="2"/>`,
    `<use href="#sign-${state}" x="11" y="8" width="12" height="12"/></g>`,
    `<text class="id" x="29" y="18">${html(id)}</text>`,
    `<text class="meta${issue.priority <= 1 && state !== "closed" ? " urgent" : ""}" x="${width - 11}" y="18" text-anchor="end">${html(kind)}</text>`,
    ...lines.map((line, i) => `<text class="title" x="12" y="${37 + i * 15}">${html(line)}</text>`),
    "</g>"
  ].join("")
}

/** What the script knows of an issue. */
const dataOf = (node: Graph.Node) => {
  const { issue } = node
  const facts = [
    kindOf(node),
    ...(issue.assignee ? [`@${issue.assignee}`] : []),
    ...issue.labels.map(label => `#${label}`)
  ].join(" · ")
  const texts = [
    ["Description", issue.description],
    ["Design", issue.design],
    ["Acceptance criteria", issue.acceptance_criteria],
    ["Notes", issue.notes],
    ["Closed because", issue.close_reason]
  ].filter(([, text]) => text !== undefined && text !== "")
  return {
    id: issue.id,
    title: issue.title,
    word: word(node),
    facts,
    waitsFor: node.waitsFor,
    texts: texts.map(part => part.map(text => Escape.text(text ?? ""))),
    search: `${issue.id} ${issue.title} ${word(node)} ${facts}`.toLowerCase()
  }
}

const margin = 16

const picture = (graph: Graph.Graph): string => {
  const layout = Layout.make(graph)
  const corner = (id: string): Layout.Point => layout.cards.get(id) ?? { x: 0, y: 0 }
  const [width, height] = [layout.width + 2 * margin, layout.height + 2 * margin]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-margin} ${-margin} ${width} ${height}" role="group" aria-label="Dependency graph">`,
    `<defs>${signs}</defs>`,
    ...graph.edges.map((edge, i) => {
      const points = layout.lines[i] ?? []
      return edgeOf(edge, edge.from === edge.to ? loop(corner(edge.from)) : curve(points))
    }),
    layout.unlinked === undefined
      ? ""
      : `<text class="heading" x="0" y="${layout.unlinked.y}">On their own (${layout.unlinked.count})</text>`,
    ...graph.nodes.map(node => cardOf(node, corner(node.issue.id))),
    "</svg>"
  ].join("\n")
}

const legend = (graph: Graph.Graph): string => {
  const shown = states.flatMap(state => {
    const count = graph.nodes.filter(node => node.state === state).length
    return count === 0
      ? []
      : [
          `<li class="${state}"><svg class="sign" width="12" height="12" aria-hidden="true"><use href="#sign-${state}"/></svg>${stateNames[state]} ${count}</li>`
        ]
  })
  const types = new Set(graph.edges.map(({ type }) => type))
  const line = (type: string, meaning: string) =>
    `<li><svg width="34" height="10" aria-hidden="true"><path class="edge${classOf(type)}" d="M1 5H33"${arrowOf(type)}/></svg>${meaning}</li>`
  return [
    ...shown,
    ...links.filter(([type]) => types.has(type)).map(([type, meaning]) => line(type, meaning)),
    ...([...types].some(type => !drawn.has(type)) ? [line("", "other links")] : [])
  ].join("")
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

export interface About {
  /** When it was made, as the page tells it. */
  readonly at: string
  readonly name: string
}

/** The whole page. */
export const make = (graph: Graph.Graph, { at, name }: About): string => {
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`
  const title = `Dependency graph of ${graph.roots.length === 0 ? name : graph.roots.join(", ")}`
  const counts = `${Plural.of(graph.nodes.length, "issue")}, ${Plural.of(graph.edges.length, "link")}`
  const data = { roots: graph.roots, issues: graph.nodes.map(dataOf), edges: graph.edges }
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${generator}">
<title>${html(Escape.line(title))}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${html(Escape.line(title))}</h1>
<p>${counts}, ${html(at)}</p>
<ul class="legend">${legend(graph)}</ul>
<div class="tools">
<span id="count" aria-live="polite"></span>
<input id="search" type="search" placeholder="Search ( / )" aria-label="Search" title="Id, title, status, @assignee, #label; Enter goes from one to the next">
<button id="out" title="Smaller (-)" aria-label="Smaller">−</button>
<button id="in" title="Larger (+)" aria-label="Larger">+</button>
<button id="fit" title="All of it (0)">Fit</button>
</div>
</header>
<main>
${graph.nodes.length === 0 ? '<p class="empty">No issue to show.</p>' : picture(graph)}
</main>
<aside hidden aria-label="Issue"></aside>
<script type="application/json" id="data">${embedded(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** Stands in every page, and in no other file. */
export const generator = "bd graph"
