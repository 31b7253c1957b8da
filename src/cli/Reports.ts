/** What `blocked`, `stale`, `stats`, `epic` and `history` say, as text and as JSON: the classic's shapes. Pure. */

import * as Instant from "../domain/Instant.ts"
import { type Issue, toJson } from "../domain/Issue.ts"
import type { AuditEvent } from "../store/IssueStore.ts"
import type { BlockedIssue, EpicStatus, Statistics } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import * as Plural from "./Plural.ts"

/** `blocked`. */
export const blocked = (issues: ReadonlyArray<BlockedIssue>): string =>
  issues.length === 0
    ? "\n✨ No blocked issues\n"
    : [
        `\n🚫 Blocked issues (${issues.length}):\n`,
        ...issues.map(
          ({ blockedBy, issue }) =>
            `[P${issue.priority}] ${Escape.line(issue.id)}: ${Escape.line(issue.title)}\n  Blocked by ${Plural.of(blockedBy.length, "open dependency", "open dependencies")}: [${blockedBy.map(Escape.line).join(" ")}]\n`
        )
      ].join("\n")

export const blockedJson = ({ blockedBy, issue }: BlockedIssue): Record<string, unknown> => ({
  ...toJson(issue),
  blocked_by_count: blockedBy.length,
  blocked_by: blockedBy
})

/** Whole days since an instant. */
export const daysSince = (instant: string, now: number): number => {
  const then = Instant.parse(instant)
  return then === undefined ? 0 : Math.max(0, Math.floor((now - Number(then / 1_000_000n)) / 86_400_000))
}

/** `stale`. `now`: in milliseconds. */
export const stale = (issues: ReadonlyArray<Issue>, days: number, now: number): string =>
  issues.length === 0
    ? "\n✨ No stale issues found (all active)\n"
    : [
        `\n⏰ Stale issues (${issues.length} not updated in ${days}+ days):\n`,
        ...issues.map((issue, i) =>
          [
            `${i + 1}. [P${issue.priority}] ${Escape.line(issue.id)}: ${Escape.line(issue.title)}`,
            `   Status: ${Escape.line(issue.status)}, Last updated: ${Plural.of(daysSince(issue.updated_at, now), "day")} ago`,
            ...(issue.assignee ? [`   Assignee: ${Escape.line(issue.assignee)}`] : []),
            ""
          ].join("\n")
        )
      ].join("\n")

/** `stats`. */
export const stats = (all: Statistics): string =>
  [
    "\n📊 Beads Statistics:\n",
    `Total Issues:           ${all.total}`,
    `Open:                   ${all.open}`,
    `In Progress:            ${all.inProgress}`,
    `Closed:                 ${all.closed}`,
    `Blocked:                ${all.blocked}`,
    `Ready:                  ${all.ready}`,
    ...(all.epicsEligibleForClosure > 0 ? [`Epics Ready to Close:   ${all.epicsEligibleForClosure}`] : []),
    ...(all.averageLeadTimeHours > 0 ? [`Avg Lead Time:          ${all.averageLeadTimeHours.toFixed(1)} hours`] : []),
    ""
  ].join("\n")

export const statsJson = (all: Statistics) => ({
  total_issues: all.total,
  open_issues: all.open,
  in_progress_issues: all.inProgress,
  closed_issues: all.closed,
  blocked_issues: all.blocked,
  ready_issues: all.ready,
  epics_eligible_for_closure: all.epicsEligibleForClosure,
  average_lead_time_hours: all.averageLeadTimeHours
})

/** One epic of `epic status`. */
export const epic = ({ children, closedChildren, eligible, epic: issue }: EpicStatus): string =>
  [
    `${eligible ? "✓" : "○"} ${Escape.line(issue.id)} ${Escape.line(issue.title)}`,
    `   Progress: ${closedChildren}/${children} children closed${children === 0 ? "" : ` (${Math.floor((closedChildren * 100) / children)}%)`}`,
    ...(eligible ? ["   Eligible for closure"] : [])
  ].join("\n")

export const epicJson = ({ children, closedChildren, eligible, epic: issue }: EpicStatus) => ({
  epic: toJson(issue),
  total_children: children,
  closed_children: closedChildren,
  eligible_for_close: eligible
})

/** The fields in which two lines differ, but for the stamp that every change sets. */
const changedFields = (before: string, after: string): ReadonlyArray<string> => {
  const fields = (line: string): ReadonlyMap<string, string> => {
    try {
      const value: unknown = JSON.parse(line)
      return new Map(Object.entries(value ?? {}).map(([key, field]) => [key, JSON.stringify(field)]))
    } catch {
      // the trail holds texts of other kinds too, such as the two ids of a renamed issue
      return new Map()
    }
  }
  const [old, now] = [fields(before), fields(after)]
  return [...new Set([...old.keys(), ...now.keys()])].filter(
    key => key !== "updated_at" && old.get(key) !== now.get(key)
  )
}

/** One line of `history` and `log`. */
export const event = ({ actor, at, comment, issueId, newValue, oldValue, type }: AuditEvent): string => {
  const fields = oldValue === undefined || newValue === undefined ? [] : changedFields(oldValue, newValue)
  const detail = comment !== undefined && comment !== "" ? `: ${Escape.line(comment)}` : ""
  return `${Escape.line(at.slice(0, 19).replace("T", " "))} ${Escape.line(issueId)} ${Escape.line(type)} by ${Escape.line(actor)}${
    fields.length === 0 ? "" : ` (${fields.map(Escape.line).join(", ")})`
  }${detail}`
}

/** The classic's event. Values are texts, most of them a line as it was. */
export const eventJson = ({ actor, at, comment, issueId, newValue, oldValue, type }: AuditEvent) => ({
  issue_id: issueId,
  event_type: type,
  actor,
  ...(oldValue === undefined ? {} : { old_value: oldValue }),
  ...(newValue === undefined ? {} : { new_value: newValue }),
  ...(comment === undefined ? {} : { comment }),
  created_at: at
})
