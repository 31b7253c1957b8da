/** Issues and how they hang together, as text: outlines, trees, graphs for other programs. Pure. */
import type { Issue } from "../domain/Issue.ts"
import { toJson } from "../domain/Issue.ts"
import type { TreeNode } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import * as Render from "./Render.ts"

type Issues = ReadonlyArray<Issue>

const parentOf = (issue: Issue): string | undefined =>
  issue.dependencies.find(({ type }) => type === "parent-child")?.depends_on_id

/** `list --tree`: each issue below its parent, if that is listed too. */
export const outline = (issues: Issues): string => {
  const listed = new Set(issues.map(({ id }) => id))
  const children = new Map<string, Array<Issue>>()
  const roots: Array<Issue> = []
  for (const issue of issues) {
    const parent = parentOf(issue)
    if (parent === undefined || !listed.has(parent)) roots.push(issue)
    else children.set(parent, [...(children.get(parent) ?? []), issue])
  }
  const shown = new Set<string>()
  const lines: Array<string> = []
  const open = roots.reverse().map(issue => ({ issue, depth: 0 }))
  for (let i = -1; i < issues.length; i++) {
    // parents that go round in a circle have no root: then one of them is
    const left = i === -1 ? undefined : issues[i]
    if (left !== undefined && !shown.has(left.id)) open.push({ issue: left, depth: 0 })
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      const { depth, issue } = step
      if (shown.has(issue.id)) continue
      shown.add(issue.id)
      lines.push(`${"  ".repeat(depth)}${Render.issueLine(issue)}`)
      for (const child of [...(children.get(issue.id) ?? [])].reverse()) open.push({ issue: child, depth: depth + 1 })
    }
  }
  return lines.join("\n")
}

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

/** `list --format dot`. */
export const dot = (issues: Issues): string =>
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
    ...edges(issues).map(
      ({ depends_on_id, from, type }) =>
        `  ${quoted(from)} -> ${quoted(depends_on_id)} [label=${quoted(type)}, ${lineStyle[type] ?? "color=black, style=solid"}];`
    ),
    "}"
  ].join("\n")

/** `dep tree`. */
export const tree = (nodes: ReadonlyArray<TreeNode>, reverse: boolean): string => {
  const [root] = nodes
  if (root === undefined) return ""
  const id = Escape.line(root.issue.id)
  if (nodes.length === 1 && !root.truncated) {
    return `\n${id} has no ${reverse ? "dependents" : "dependencies"}\n`
  }
  return [
    `\n🌲 ${reverse ? "Dependent" : "Dependency"} tree for ${id}:\n`,
    ...nodes.map(
      ({ depth, issue, truncated }) =>
        `${"  ".repeat(depth)}→ ${Escape.line(issue.id)}: ${Escape.line(issue.title)} [P${issue.priority}] (${Escape.line(issue.status)})${truncated ? " … [truncated]" : ""}`
    ),
    ""
  ].join("\n")
}

const boxes: Readonly<Record<string, string>> = { open: "☐", in_progress: "◧", blocked: "⚠", closed: "☑" }

/** Text in a quoted label of mermaid, which reads entities behind `#` and shows what looks like HTML as HTML. */
const label = (text: string): string => Escape.line(text).replace(/["#&<>\\]/g, char => `#${char.charCodeAt(0)};`)

/** What mermaid takes for the name of a node. Its own words are none. */
const isName = (id: string): boolean =>
  /^[a-z_]\w*(?:[-.]\w+)*$/i.test(id) &&
  !/^(?:call|class|classdef|click|default|direction|end|flowchart|graph|href|linkstyle|style|subgraph)\b/i.test(id)

/** An arrow of a flowchart, from what depends to what it depends on. */
interface Arrow {
  readonly from: string
  readonly to: string
  readonly type?: string
}

const arrowOf = (type: string | undefined): string =>
  type === undefined || type === "blocks" ? "-->" : type === "parent-child" ? "-.->" : `-. ${label(type)} .->`

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
const branches = (nodes: ReadonlyArray<TreeNode>) => ({
  issues: [...new Map(nodes.map(({ issue }) => [issue.id, issue])).values()],
  arrows: nodes.flatMap(({ depth, issue, parentId }) => (depth === 0 ? [] : [{ from: parentId, to: issue.id }]))
})

/** `dep tree --format mermaid`. */
export const mermaid = (nodes: ReadonlyArray<TreeNode>): string => {
  const { arrows, issues } = branches(nodes)
  return flowchart(issues, arrows)
}

/** `graph --format mermaid`. */
export const mermaidGraph = (issues: Issues): string =>
  flowchart(
    issues,
    edges(issues).map(({ depends_on_id, from, type }) => ({ from, to: depends_on_id, type }))
  )

/** A node of `dep tree --json`. */
export const treeJson = ({ depth, issue, parentId, truncated }: TreeNode): Record<string, unknown> => {
  const { comments: _said, dependencies: _links, ...fields } = toJson(issue)
  return { ...fields, depth, parent_id: parentId, truncated }
}
