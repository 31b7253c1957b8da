/** Issues and how they hang together, as text: outlines, trees, graphs for other programs. Pure. */

import type { Issue } from "../domain/Issue.ts"
import { toJson } from "../domain/Issue.ts"
import type { TreeNode } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import * as Plural from "./Plural.ts"
import * as Render from "./Render.ts"

type Issues = ReadonlyArray<Issue>

const parentOf = (issue: Issue): string | undefined =>
  issue.dependencies.find(({ type }) => type === "parent-child")?.depends_on_id

/** An issue with how far it is below its topmost parent. */
export interface Nested {
  readonly issue: Issue
  readonly depth: number
}

/** Each issue below its parent, if that is listed too. */
export const nested = (issues: Issues): ReadonlyArray<Nested> => {
  const listed = new Set(issues.map(({ id }) => id))
  const children = new Map<string, Array<Issue>>()
  const roots: Array<Issue> = []
  for (const issue of issues) {
    const parent = parentOf(issue)
    if (parent === undefined || !listed.has(parent)) roots.push(issue)
    else children.set(parent, [...(children.get(parent) ?? []), issue])
  }
  const shown = new Set<string>()
  const found: Array<Nested> = []
  const open = roots.reverse().map(issue => ({ issue, depth: 0 }))
  for (let i = -1; i < issues.length; i++) {
    // parents that go round in a circle have no root: then one of them is
    const left = i === -1 ? undefined : issues[i]
    if (left !== undefined && !shown.has(left.id)) open.push({ issue: left, depth: 0 })
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      const { depth, issue } = step
      if (shown.has(issue.id)) continue
      shown.add(issue.id)
      found.push(step)
      for (const child of [...(children.get(issue.id) ?? [])].reverse()) open.push({ issue: child, depth: depth + 1 })
    }
  }
  return found
}

/** `list --tree`. */
export const outline = (issues: Issues): string =>
  nested(issues)
    .map(({ depth, issue }) => `${"  ".repeat(depth)}${Render.issueLine(issue)}`)
    .join("\n")

/** The dependencies whose two ends are listed. */
const edges = (issues: Issues) => {
  const listed = new Set(issues.map(({ id }) => id))
  return issues.flatMap(({ dependencies, id }) =>
    dependencies.filter(link => listed.has(link.depends_on_id)).map(link => ({ ...link, from: id }))
  )
}

/** `list --format digraph`: two ids a line, the first depends on the second. */
export const digraph = (issues: Issues): string =>
  edges(issues)
    .map(({ depends_on_id, from }) => `${Escape.line(from)} ${Escape.line(depends_on_id)}`)
    .join("\n")

const quoted = (text: string): string =>
  `"${Escape.text(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`

const fill: Readonly<Record<string, string>> = {
  closed: "lightgray",
  in_progress: "lightyellow",
  blocked: "lightcoral"
}

const lineStyle: Readonly<Record<string, string>> = {
  blocks: "color=red, style=bold",
  "parent-child": "color=blue, style=solid",
  "discovered-from": "color=green, style=dashed",
  related: "color=gray, style=dashed"
}

/** An arrow, from what depends to what it depends on. */
interface Arrow {
  readonly from: string
  readonly to: string
  readonly type: string
}

/** For Graphviz. */
const digraphOf = (issues: Issues, arrows: ReadonlyArray<Arrow>): string =>
  [
    "digraph dependencies {",
    "  rankdir=TB;",
    "  node [shape=box, style=rounded];",
    "",
    ...issues.map(
      ({ id, issue_type, priority, status, title }) =>
        `  ${quoted(id)} [label=${quoted(`${id}\n[${issue_type} P${priority}]\n${title}\n(${status})`)}, style="rounded,filled", fillcolor="${fill[status] ?? "white"}", fontcolor="black"];`
    ),
    "",
    ...new Set(
      arrows.map(
        ({ from, to, type }) =>
          `  ${quoted(from)} -> ${quoted(to)} [label=${quoted(type)}, ${lineStyle[type] ?? "color=black, style=solid"}];`
      )
    ),
    "}"
  ].join("\n")

const arrowsOf = (issues: Issues): ReadonlyArray<Arrow> =>
  edges(issues).map(({ depends_on_id, from, type }) => ({ from, to: depends_on_id, type }))

/** `list --format dot`. */
export const dot = (issues: Issues): string => digraphOf(issues, arrowsOf(issues))

/** What stands before an issue by its status, for whoever does not see colours. */
const marks: Readonly<Record<string, string>> = {
  open: "○",
  in_progress: "◐",
  blocked: "●",
  closed: "✓",
  deferred: "❄"
}

export const mark = (status: string): string => marks[status] ?? "◇"

export interface TreeOptions {
  readonly reverse: boolean
  readonly maxDepth: number | undefined
}

/** A line of `dep tree`. */
export type TreeLine =
  | { readonly _tag: "Words"; readonly text: string }
  | { readonly _tag: "Issue"; readonly branches: string; readonly issue: Issue; readonly note: string }

interface TreeRow {
  readonly issue: Issue
  readonly depth: number
  readonly note: string
}

/** How it is linked, if that does not block. */
const via = (types: ReadonlyArray<string>): string =>
  types.length === 0 || types.includes("blocks") ? "" : ` via ${types.map(Escape.line).join(", ")}`

const rowsOf = (nodes: ReadonlyArray<TreeNode>): ReadonlyArray<TreeRow> => {
  const shown = new Set<string>()
  return nodes.flatMap(({ depth, elsewhere, issue, truncated, types }) => {
    shown.add(issue.id)
    return [
      { issue, depth, note: via(types) + (truncated ? " … [truncated]" : "") },
      ...elsewhere.map(({ issue: other, types: how }) => ({
        issue: other,
        depth: depth + 1,
        note: `${via(how)} (see ${shown.has(other.id) ? "above" : "below"})`
      }))
    ]
  })
}

/** What is drawn in front of each row: a branch, and the lines of the branches that pass. */
const branchesOf = (rows: ReadonlyArray<TreeRow>): ReadonlyArray<string> => {
  /** By depth: whether more comes on this branch. From the last row up. */
  let more: ReadonlyArray<boolean> = []
  return [...rows]
    .reverse()
    .map(({ depth }) => {
      const passing = Array.from({ length: Math.max(0, depth - 1) }, (_, k) => (more[k + 1] === true ? "│   " : "    "))
      const branch = depth === 0 ? "" : more[depth] === true ? "├── " : "└── "
      more = [...Array.from({ length: depth }, (_, k) => more[k] === true), true]
      return passing.join("") + branch
    })
    .reverse()
}

/** `dep tree`: an issue that several ways lead to is opened once, and named where the others end. */
export const treeLines = (
  nodes: ReadonlyArray<TreeNode>,
  { maxDepth = 50, reverse }: TreeOptions
): ReadonlyArray<TreeLine> => {
  const words = (text: string): TreeLine => ({ _tag: "Words", text })
  const [root] = nodes
  if (root === undefined) return []
  const id = Escape.line(root.issue.id)
  if (nodes.length === 1 && !root.truncated && root.elsewhere.length === 0) {
    return [words(""), words(`${id} has no ${reverse ? "dependents" : "dependencies"}`)]
  }
  const rows = rowsOf(nodes)
  const branches = branchesOf(rows)
  const cut = nodes.filter(({ truncated }) => truncated)
  const deep = cut.some(({ depth }) => depth >= maxDepth)
  return [
    words(""),
    words(`🌲 ${reverse ? "Dependent" : "Dependency"} tree for ${id}:`),
    words(""),
    ...rows.map(({ issue, note }, i): TreeLine => ({ _tag: "Issue", branches: branches[i] ?? "", issue, note })),
    ...(cut.length === 0
      ? []
      : [
          words(""),
          words(
            deep
              ? `Cut below depth ${maxDepth}, where ${Plural.of(cut.length, "issue has", "issues have")} more: a greater --max-depth shows it`
              : `Cut after ${Plural.of(nodes.length, "issue")}`
          )
        ])
  ]
}

/** As text. */
export const tree = (nodes: ReadonlyArray<TreeNode>, options: TreeOptions): string =>
  treeLines(nodes, options)
    .map(line =>
      line._tag === "Words"
        ? line.text
        : `${line.branches}${mark(line.issue.status)} ${Escape.line(line.issue.id)}: ${Escape.line(line.issue.title)} [P${line.issue.priority}] (${Escape.line(line.issue.status)})${line.note}`
    )
    .join("\n")

const boxes: Readonly<Record<string, string>> = { open: "☐", in_progress: "◧", blocked: "⚠", closed: "☑" }

/** Text in a quoted label of mermaid, which reads entities behind `#` and shows what looks like HTML as HTML. */
const label = (text: string): string => Escape.line(text).replace(/["#&<>\\]/g, char => `#${char.charCodeAt(0)};`)

/** What mermaid takes for the name of a node. Its own words are none. */
const isName = (id: string): boolean =>
  /^[a-z_]\w*(?:[-.]\w+)*$/i.test(id) &&
  !/^(?:call|class|classdef|click|default|direction|end|flowchart|graph|href|linkstyle|style|subgraph)\b/i.test(id)

const arrowOf = (type: string): string =>
  type === "blocks" ? "-->" : type === "parent-child" ? "-.->" : `-. ${label(type)} .->`

/** A flowchart for mermaid. */
export const flowchart = (issues: Issues, arrows: ReadonlyArray<Arrow>): string => {
  const names = new Map(issues.map(({ id }, at) => [id, isName(id) ? id : `node_${at + 1}`]))
  const lines = issues.map(
    ({ id, status, title }) => `  ${names.get(id)}["${label(`${boxes[status] ?? "☐"} ${id}: ${title}`)}"]`
  )
  const links = arrows.map(({ from, to, type }) => `  ${names.get(from)} ${arrowOf(type)} ${names.get(to)}`)
  return ["flowchart TD", ...lines, "", ...new Set(links)].join("\n")
}

/** The issues of a tree, each once, and its branches. */
const linksOf = (nodes: ReadonlyArray<TreeNode>, reverse: boolean) => {
  const arrows = nodes.flatMap(({ depth, elsewhere, issue, parentId, types }) => [
    ...(depth === 0 ? [] : [{ from: parentId, to: issue.id, types }]),
    ...elsewhere.map(other => ({ from: issue.id, to: other.issue.id, types: other.types }))
  ])
  return {
    issues: [...new Map(nodes.map(({ issue }) => [issue.id, issue])).values()],
    arrows: arrows.flatMap(({ from, to, types }) =>
      types.map(type => (reverse ? { from: to, to: from, type } : { from, to, type }))
    )
  }
}

/** `dep tree --format mermaid`. */
export const mermaid = (nodes: ReadonlyArray<TreeNode>, reverse: boolean): string => {
  const { arrows, issues } = linksOf(nodes, reverse)
  return flowchart(issues, arrows)
}

/** `dep tree --format dot`. */
export const dotTree = (nodes: ReadonlyArray<TreeNode>, reverse: boolean): string => {
  const { arrows, issues } = linksOf(nodes, reverse)
  return digraphOf(issues, arrows)
}

/** `graph --format mermaid`. */
export const mermaidGraph = (issues: Issues): string => flowchart(issues, arrowsOf(issues))

/** A node of `dep tree --json`. */
export const treeJson = ({ depth, issue, parentId, truncated }: TreeNode): Record<string, unknown> => {
  const { comments: _said, dependencies: _links, ...fields } = toJson(issue)
  return { ...fields, depth, parent_id: parentId, truncated }
}
