/**
 * Issues as text: the classic's shapes, one line an issue, safe to pipe.
 *
 * Pure. Values within a line have their line ends made visible; all other control characters are escaped by `Stdio`.
 */

import type { Comment, Issue } from "../domain/Issue.ts"
import { toJson } from "../domain/Issue.ts"
import * as IssueJson from "../domain/IssueJson.ts"
import type { IssueDetails, LinkedIssue, ListedIssue, ListedLine } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import * as Plural from "./Plural.ts"

const labelsOf = (issue: Issue): string => `[${issue.labels.map(Escape.line).join(" ")}]`

/** `bd-l44 [P0] [bug] open @bob [backend ui] - First bug` */
export const issueLine = (issue: Issue): string =>
  [
    Escape.line(issue.id),
    `[P${issue.priority}]`,
    `[${Escape.line(issue.issue_type)}]`,
    Escape.line(issue.status),
    ...(issue.assignee === undefined || issue.assignee === "" ? [] : [`@${Escape.line(issue.assignee)}`]),
    ...(issue.labels.length === 0 ? [] : [labelsOf(issue)]),
    "-",
    Escape.line(issue.title)
  ].join(" ")

/** `list`. */
export const list = (issues: ReadonlyArray<Issue>): string => issues.map(issueLine).join("\n")

/** `list --long`. */
export const longList = (issues: ReadonlyArray<Issue>): string =>
  [
    `\nFound ${Plural.of(issues.length, "issue")}:\n`,
    ...issues.map(issue =>
      [
        `${Escape.line(issue.id)} [P${issue.priority}] [${Escape.line(issue.issue_type)}] ${Escape.line(issue.status)}`,
        `  ${Escape.line(issue.title)}`,
        ...(issue.assignee === undefined || issue.assignee === ""
          ? []
          : [`  Assignee: ${Escape.line(issue.assignee)}`]),
        ...(issue.labels.length === 0 ? [] : [`  Labels: ${labelsOf(issue)}`]),
        ""
      ].join("\n")
    )
  ].join("\n")

/** `claim`, `ready --claim`. */
export const claimed = (issues: ReadonlyArray<Issue>): string =>
  issues.map(({ id, title }) => `✓ Claimed ${Escape.line(id)}: ${Escape.line(title)}`).join("\n")

/** `ready`. */
export const ready = (issues: ReadonlyArray<Issue>): string =>
  issues.length === 0
    ? "\n✨ No ready work found\n"
    : [
        `\n📋 Ready work (${Plural.of(issues.length, "issue")} with no blockers):\n`,
        ...issues.map((issue, i) =>
          [
            `${i + 1}. [P${issue.priority}] ${Escape.line(issue.id)}: ${Escape.line(issue.title)}`,
            ...(issue.estimated_minutes === undefined ? [] : [`   Estimate: ${issue.estimated_minutes} min`]),
            ...(issue.assignee === undefined || issue.assignee === ""
              ? []
              : [`   Assignee: ${Escape.line(issue.assignee)}`])
          ].join("\n")
        ),
        ""
      ].join("\n")

/** A time stamp to the minute, in the zone it was written in. */
const minute = (instant: string): string => Escape.line(instant.slice(0, 16).replace("T", " "))

const linked = (arrow: string, { dependencyType, issue }: LinkedIssue): string =>
  `  ${arrow} ${Escape.line(issue.id)}: ${Escape.line(issue.title)} [P${issue.priority}]${
    dependencyType === "blocks" ? "" : ` (${Escape.line(dependencyType)})`
  }`

/** The words of `show` for the direction of a dependency: only `blocks` blocks. */
const section = (title: string, arrow: string, links: ReadonlyArray<LinkedIssue>): ReadonlyArray<string> =>
  links.length === 0 ? [] : [`\n${title} (${links.length}):`, ...links.map(link => linked(arrow, link))]

const block = (title: string, text: string | undefined): ReadonlyArray<string> =>
  text === undefined || text === "" ? [] : [`\n${title}:\n${text}`]

/** `show`. */
export const details = ({ dependencies, dependents, issue }: IssueDetails): string => {
  const blocks = dependents.filter(({ dependencyType }) => dependencyType === "blocks")
  const others = dependents.filter(({ dependencyType }) => dependencyType !== "blocks")
  return [
    `\n${Escape.line(issue.id)}: ${Escape.line(issue.title)}`,
    `Status: ${Escape.line(issue.status)}`,
    ...(issue.close_reason === undefined || issue.close_reason === ""
      ? []
      : [`Close reason: ${Escape.line(issue.close_reason)}`]),
    `Priority: P${issue.priority}`,
    `Type: ${Escape.line(issue.issue_type)}`,
    ...(issue.assignee === undefined || issue.assignee === "" ? [] : [`Assignee: ${Escape.line(issue.assignee)}`]),
    ...(issue.estimated_minutes === undefined ? [] : [`Estimated: ${Plural.of(issue.estimated_minutes, "minute")}`]),
    ...(issue.external_ref === undefined ? [] : [`External ref: ${Escape.line(issue.external_ref)}`]),
    `Created: ${minute(issue.created_at)}`,
    `Updated: ${minute(issue.updated_at)}`,
    ...(issue.closed_at === undefined || issue.closed_at === "" ? [] : [`Closed: ${minute(issue.closed_at)}`]),
    ...block("Description", issue.description),
    ...block("Design", issue.design),
    ...block("Notes", issue.notes),
    ...block("Acceptance Criteria", issue.acceptance_criteria),
    ...(issue.labels.length === 0 ? [] : [`\nLabels: ${labelsOf(issue)}`]),
    ...section("Depends on", "→", dependencies),
    ...section("Blocks", "←", blocks),
    ...section("Linked from", "←", others),
    ...(issue.comments.length === 0 ? [] : [`\nComments (${issue.comments.length}):`]),
    ...issue.comments.map(
      ({ author, created_at, text }) =>
        `  [${Escape.line(author)} at ${minute(created_at)}]\n  ${text.replaceAll("\n", "\n  ")}`
    ),
    ""
  ].join("\n")
}

/** `comments`. */
export const comments = (id: string, list: ReadonlyArray<Comment>): string =>
  list.length === 0
    ? `No comments on ${Escape.line(id)}`
    : [
        `\nComments on ${Escape.line(id)}:\n`,
        ...list.map(({ author, created_at, text }) => `[${Escape.line(author)}] ${text} at ${minute(created_at)}\n`)
      ].join("\n")

// ---------------------------------------------------------------------------------------------------------------------
// JSON
// ---------------------------------------------------------------------------------------------------------------------

/** An issue as `--json` gives it. */
export const json = toJson

/** An issue of `list --json`. */
export const listedJson = ({ dependencyCount, dependentCount, issue }: ListedIssue): Record<string, unknown> => ({
  ...toJson(issue),
  dependency_count: dependencyCount,
  dependent_count: dependentCount
})

/** The same as it stands in a list that is indented by two spaces, where its line tells that. */
export const listedText = ({ dependencyCount, dependentCount, line }: ListedLine): string | undefined => {
  const members = IssueJson.members(line)
  return (
    members &&
    `  {\n${members},\n    "dependency_count": ${dependencyCount},\n    "dependent_count": ${dependentCount}\n  }`
  )
}

/** An issue at the other end of a dependency; its own dependencies and comments are left to its own `show`. */
export const linkedJson = ({ dependencyType, issue }: LinkedIssue): Record<string, unknown> => {
  const { comments: _said, dependencies: _links, ...fields } = toJson(issue)
  return { ...fields, dependency_type: dependencyType }
}

/** An issue of `show --json`: dependencies and dependents are issues, left out when there are none. */
export const detailsJson = ({ dependencies, dependents, issue }: IssueDetails): Record<string, unknown> => {
  const { comments: said, dependencies: _, ...fields } = toJson(issue)
  return {
    ...fields,
    ...(dependencies.length === 0 ? {} : { dependencies: dependencies.map(linkedJson) }),
    ...(dependents.length === 0 ? {} : { dependents: dependents.map(linkedJson) }),
    ...(said === undefined ? {} : { comments: said })
  }
}
