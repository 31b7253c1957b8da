/**
 * Issues that look as if a test had left them behind: the classic's marks and weights. A guess, never more. Pure.
 */
import * as Instant from "./Instant.ts"
import type { Issue } from "./Issue.ts"

export interface Suspect {
  readonly issue: Issue
  /** 0 to 1. */
  readonly score: number
  readonly reasons: ReadonlyArray<string>
}

/** From here on an issue is suspected. */
const suspicious = 0.7

/** From here on it is more than likely. */
export const likely = 0.9

const testTitle = /^(test|benchmark|sample|tmp|temp|debug|dummy)[-_\s]/i
const genericTitle = /issue for testing|test issue|sample issue|dummy issue/i
const numberedId = /^[a-z]+-\d+$/
const shortText = 20
const manyAMinute = 10

const minuteOf = ({ created_at }: Issue): string | undefined => {
  const instant = Instant.parse(created_at)
  return instant === undefined ? undefined : String(instant / 60_000_000_000n)
}

/** The suspects among `issues`, the likeliest first. */
export const find = (issues: ReadonlyArray<Issue>): ReadonlyArray<Suspect> => {
  const perMinute = new Map<string, number>()
  for (const issue of issues) {
    const minute = minuteOf(issue)
    if (minute !== undefined) perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1)
  }
  return issues
    .map((issue): Suspect => {
      const length = issue.description.trim().length
      const together = perMinute.get(minuteOf(issue) ?? "") ?? 0
      const marks: ReadonlyArray<readonly [boolean, number, string]> = [
        [testTitle.test(issue.title), 0.7, "its title begins as that of a test"],
        [genericTitle.test(issue.title), 0.5, "its title says that it is for testing"],
        [numberedId.test(issue.id) && length < shortText, 0.4, "a numbered id and next to no description"],
        [together >= manyAMinute, 0.3, `created in one minute with ${together - 1} others`],
        [length === 0, 0.2, "no description"],
        [length > 0 && length < shortText, 0.1, "a very short description"]
      ]
      const found = marks.filter(([holds]) => holds)
      const tenths = found.reduce((sum, [, weight]) => sum + Math.round(weight * 10), 0)
      return { issue, score: Math.min(10, tenths) / 10, reasons: found.map(([, , reason]) => reason) }
    })
    .filter(({ score }) => score >= suspicious)
    .sort((a, b) => b.score - a.score || (a.issue.id < b.issue.id ? -1 : 1))
}
