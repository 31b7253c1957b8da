/**
 * Issues described in a Markdown file: `## Title` begins one, `### Priority`, `### Type`, `### Description`, … give its
 * fields. Text between the title and the first field is the description. Pure.
 */

/** An issue as described; its values are yet to be checked. */
export interface Draft {
  /** The line that begins it, from 1. */
  readonly line: number
  readonly title: string
  readonly description?: string
  readonly design?: string
  readonly acceptance_criteria?: string
  readonly notes?: string
  readonly priority?: string
  readonly issue_type?: string
  readonly assignee?: string
  readonly labels?: ReadonlyArray<string>
  readonly dependencies: ReadonlyArray<string>
}

const fields: Readonly<Record<string, string>> = {
  priority: "priority",
  type: "issue_type",
  description: "description",
  design: "design",
  notes: "notes",
  "acceptance criteria": "acceptance_criteria",
  acceptance: "acceptance_criteria",
  assignee: "assignee",
  labels: "labels",
  dependencies: "dependencies",
  deps: "dependencies"
}

const words = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "")
    .split(/[,\n]/)
    .map(word => word.trim().replace(/^[-*] +/, ""))
    .filter(word => word !== "")

const draft = (line: number, title: string, sections: ReadonlyMap<string, string>): Draft => {
  const { dependencies, labels, ...texts } = Object.fromEntries(sections) as Record<string, string | undefined>
  return {
    line,
    title,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
    ...(labels === undefined ? {} : { labels: words(labels) }),
    dependencies: words(dependencies)
  }
}

/** The issues of a file, in its order. Headings inside fenced code are text. */
export const issues = (text: string): ReadonlyArray<Draft> => {
  const drafts: Array<Draft> = []
  let title: string | undefined
  let start = 0
  let sections = new Map<string, string>()
  let field = "description"
  let lines: Array<string> = []
  let fence: string | undefined

  const endField = (): void => {
    const body = lines.join("\n").trim()
    const before = sections.get(field)
    if (body !== "") sections.set(field, before === undefined ? body : `${before}\n\n${body}`)
    lines = []
  }
  const endIssue = (): void => {
    endField()
    if (title !== undefined) drafts.push(draft(start, title, sections))
    sections = new Map()
    field = "description"
  }
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const mark = /^(```+|~~~+)/.exec(line)?.[1]?.slice(0, 3)
    if (mark !== undefined) fence = fence === undefined ? mark : fence === mark ? undefined : fence
    const heading = fence === undefined ? /^(##|###)[ \t]+(.*?)[ \t#]*$/.exec(line) : null
    const known = heading?.[1] === "###" ? fields[(heading[2] ?? "").toLowerCase()] : undefined
    if (heading?.[1] === "##") {
      endIssue()
      title = heading[2] ?? ""
      start = at + 1
    } else if (known !== undefined) {
      endField()
      field = known
    } else lines.push(line)
  }
  endIssue()
  return drafts
}
