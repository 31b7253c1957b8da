/**
 * Lists of issues as tables for a terminal: columns aligned, titles cut to the width, colours by status and priority.
 *
 * Only what is asked on a terminal comes here; a pipe gets the lines of `Render`. Ids are never cut. Where there is
 * little room, columns go, the least telling first. Pure.
 */
import type { Issue } from "../domain/Issue.ts"
import type { BlockedIssue, TreeNode } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import type { Nested } from "./GraphText.ts"
import * as GraphText from "./GraphText.ts"
import * as Plural from "./Plural.ts"
import { daysSince } from "./Reports.ts"
import type { Screen, Style, Styled } from "./Stdio.ts"
import * as TextWidth from "./TextWidth.ts"

interface Cell {
  readonly text: string
  readonly style?: Style | undefined
}

interface Column<A> {
  readonly heading: string
  readonly cell: (row: A) => Cell
  /** What stands behind it, if not the usual gap. */
  readonly gap?: string
  /** Where there is too little room, those with the greatest number go first; 0 stays. */
  readonly spare: number
}

/** One column takes what room is left: the title, and behind it what fits. */
interface Table<A> {
  readonly columns: ReadonlyArray<Column<A>>
  readonly title: (row: A) => Cell
  readonly aside?: (row: A) => string
  /** A row that is over and done with. */
  readonly isFaint?: (row: A) => boolean
}

/** Between columns. */
const gap = "  "

/** The least room for a title before another column goes. */
const leastTitle = 24

type Part = Styled[number]

const part = (text: string, style: Style | undefined, screen: Screen): Part =>
  style === undefined || !screen.colours || text === "" ? text : { text, style }

const draw = <A>(rows: ReadonlyArray<A>, table: Table<A>, screen: Screen): Styled => {
  const room = screen.columns ?? Number.POSITIVE_INFINITY
  const filled = table.columns
    .map(column => {
      const cells = rows.map(row => {
        const { style, text } = column.cell(row)
        return { style, text: Escape.line(text) }
      })
      const width = cells.reduce((most, { text }) => Math.max(most, TextWidth.of(text)), column.heading.length)
      return { gap, ...column, cells, width }
    })
    // a column of empty cells tells nothing
    .filter(({ cells }) => cells.some(({ text }) => text !== ""))
  const taken = () => kept.reduce((sum, { gap, width }) => sum + width + gap.length, 0)
  let kept = filled
  for (const { spare } of [...filled].sort((a, b) => b.spare - a.spare)) {
    if (spare === 0 || room - taken() >= leastTitle) break
    kept = kept.filter(column => column.spare !== spare)
  }
  // what is left of the line; a terminal that is narrower than an id breaks lines as it will
  const left = Math.max(8, room - taken())
  const heading = `${kept.map(({ gap, heading, width }) => TextWidth.pad(heading, width) + gap).join("")}TITLE`
  return [
    part(heading, "dim", screen),
    "\n",
    ...rows.flatMap((row, i) => {
      const isFaint = table.isFaint?.(row) === true
      const parts: Array<Part> = kept.flatMap(({ cells, gap, width }) => {
        const { style, text } = cells[i] ?? { text: "", style: undefined }
        const padding = " ".repeat(width - TextWidth.of(text)) + gap
        return [part(text, isFaint ? "dim" : style, screen), padding]
      })
      const { style, text } = table.title(row)
      const title = TextWidth.cut(Escape.line(text), left)
      parts.push(part(title, isFaint ? "dim" : style, screen))
      const aside = Escape.line(table.aside?.(row) ?? "")
      if (aside !== "" && TextWidth.of(title) + gap.length + TextWidth.of(aside) <= left) {
        parts.push(part(gap + aside, "dim", screen))
      }
      return [...parts, "\n"]
    })
  ]
}

const statusStyles: Readonly<Record<string, Style>> = {
  in_progress: "yellow",
  blocked: "red",
  closed: "dim",
  deferred: "blue"
}

const priorityStyles: Readonly<Record<number, Style>> = { 0: "boldRed", 1: "red" }

const idColumn: Column<Issue> = { heading: "ID", cell: ({ id }) => ({ text: id, style: "cyan" }), spare: 0 }

const priorityColumn: Column<Issue> = {
  heading: "P",
  cell: ({ priority }) => ({ text: `P${priority}`, style: priorityStyles[priority] }),
  spare: 0
}

const typeColumn: Column<Issue> = {
  heading: "TYPE",
  cell: ({ issue_type }) => ({
    text: issue_type,
    style: issue_type === "bug" ? "red" : issue_type === "epic" ? "magenta" : undefined
  }),
  spare: 2
}

const markColumn: Column<Issue> = {
  heading: "",
  cell: ({ status }) => ({ text: GraphText.mark(status), style: statusStyles[status] }),
  gap: " ",
  spare: 0
}

const statusColumn: Column<Issue> = {
  heading: "STATUS",
  cell: ({ status }) => ({ text: status, style: statusStyles[status] }),
  spare: 1
}

const assigneeColumn: Column<Issue> = {
  heading: "ASSIGNEE",
  cell: ({ assignee }) => ({ text: assignee ? `@${assignee}` : "" }),
  spare: 3
}

const titleOf = ({ title }: Issue): Cell => ({ text: title })

const labelsOf = ({ labels }: Issue): string => (labels.length === 0 ? "" : `[${labels.join(" ")}]`)

const isClosed = ({ status }: Issue): boolean => status === "closed"

const on = <A>(issueOf: (row: A) => Issue, column: Column<Issue>): Column<A> => ({
  ...column,
  cell: row => column.cell(issueOf(row))
})

const headline = (text: string, screen: Screen): Styled => ["\n", part(text, "bold", screen), "\n\n"]

/** `list`, `search`; with `--tree` an issue is set in by how deep it is. */
export const list = (rows: ReadonlyArray<Nested>, screen: Screen): Styled => {
  const issueOf = ({ issue }: Nested) => issue
  const set = (depth: number): string => "  ".repeat(Math.min(depth, 20))
  return draw(
    rows,
    {
      columns: [
        {
          ...on(issueOf, idColumn),
          cell: ({ depth, issue }) => ({ text: set(depth) + issue.id, style: "cyan" })
        },
        on(issueOf, priorityColumn),
        on(issueOf, typeColumn),
        on(issueOf, markColumn),
        on(issueOf, statusColumn),
        on(issueOf, assigneeColumn)
      ],
      title: row => titleOf(row.issue),
      aside: row => labelsOf(row.issue),
      isFaint: row => isClosed(row.issue)
    },
    screen
  )
}

/** `ready`. */
export const ready = (issues: ReadonlyArray<Issue>, screen: Screen): Styled => {
  const estimate: Column<Issue> = {
    heading: "MINUTES",
    cell: ({ estimated_minutes }) => ({ text: estimated_minutes === undefined ? "" : String(estimated_minutes) }),
    spare: 4
  }
  const columns = [idColumn, priorityColumn, typeColumn, estimate, assigneeColumn]
  return [
    ...headline(`📋 Ready work (${Plural.of(issues.length, "issue")} with no blockers):`, screen),
    ...draw(issues, { columns, title: titleOf, aside: labelsOf }, screen)
  ]
}

/** So many ids that a line has room for them, and how many more there are. */
const some = (ids: ReadonlyArray<string>): string =>
  ids.length <= 3 ? ids.join(" ") : `${ids.slice(0, 2).join(" ")} and ${ids.length - 2} more`

/** `blocked`. */
export const blocked = (all: ReadonlyArray<BlockedIssue>, screen: Screen): Styled => {
  const issueOf = ({ issue }: BlockedIssue) => issue
  const waits: Column<BlockedIssue> = {
    heading: "WAITS FOR",
    cell: ({ blockedBy }) => ({ text: some(blockedBy), style: "red" }),
    spare: 1
  }
  return [
    ...headline(`🚫 Blocked issues (${all.length}):`, screen),
    ...draw(
      all,
      {
        columns: [on(issueOf, idColumn), on(issueOf, priorityColumn), on(issueOf, typeColumn), waits],
        title: ({ issue }) => titleOf(issue)
      },
      screen
    )
  ]
}

/** `stale`. `now`: in milliseconds. */
export const stale = (issues: ReadonlyArray<Issue>, days: number, now: number, screen: Screen): Styled => {
  const age: Column<Issue> = {
    heading: "DAYS",
    cell: ({ updated_at }) => ({ text: String(daysSince(updated_at, now)) }),
    spare: 0
  }
  return [
    ...headline(`⏰ Stale issues (${issues.length} not updated in ${days}+ days):`, screen),
    ...draw(
      issues,
      {
        columns: [idColumn, priorityColumn, age, typeColumn, markColumn, statusColumn, assigneeColumn],
        title: titleOf,
        aside: labelsOf
      },
      screen
    )
  ]
}

/** `dep tree`: a line too long for the screen is cut, so that the branches stay in sight. */
export const tree = (nodes: ReadonlyArray<TreeNode>, options: GraphText.TreeOptions, screen: Screen): Styled => {
  const room = screen.columns ?? Number.POSITIVE_INFINITY
  return GraphText.treeLines(nodes, options).flatMap(line => {
    if (line._tag === "Words") return [`${line.text}\n`]
    const { branches, issue, note } = line
    const style = statusStyles[issue.status]
    const rest = `${Escape.line(issue.id)}: `
    const tail = ` [P${issue.priority}] (${Escape.line(issue.status)})${note}`
    const left = room - TextWidth.of(`${branches}${GraphText.mark(issue.status)} ${rest}${tail}`)
    const title = TextWidth.cut(Escape.line(issue.title), Math.max(8, left))
    return [
      part(branches, "dim", screen),
      part(`${GraphText.mark(issue.status)} `, style, screen),
      part(rest, isClosed(issue) ? "dim" : "cyan", screen),
      part(title, isClosed(issue) ? "dim" : undefined, screen),
      part(tail, "dim", screen),
      "\n"
    ]
  })
}
