/**
 * Conditions on issues that only the line itself can answer, and the orders of lists. Pure.
 *
 * What the store's columns can answer (status, labels, …) it answers itself; these run over the issues it finds.
 */
import * as Instant from "./Instant.ts"
import type { Issue } from "./Issue.ts"

/** All given conditions must hold. Texts are looked for whatever their capital letters; times are RFC 3339. */
export interface IssueFilter {
  /** In title, description or id. */
  readonly text?: string
  readonly descriptionContains?: string
  readonly notesContains?: string
  readonly emptyDescription?: boolean
  readonly unlabeled?: boolean
  readonly createdAfter?: string
  readonly createdBefore?: string
  readonly updatedAfter?: string
  readonly updatedBefore?: string
  /** An issue that was never closed was not closed before or after anything. */
  readonly closedAfter?: string
  readonly closedBefore?: string
}

/** `priority`: urgent first, then the newest. Times: the latest first. Anything else: in order of the text. */
export type Sort = "priority" | "created" | "updated" | "closed" | "status" | "id" | "title" | "type" | "assignee"

const contains = (text: string | undefined, part: string): boolean =>
  (text ?? "").toLowerCase().includes(part.toLowerCase())

const isAfter = (text: string | undefined, bound: string): boolean => {
  const instant = Instant.parse(text)
  return instant !== undefined && Instant.order(instant, Instant.parse(bound)) > 0
}

const isBefore = (text: string | undefined, bound: string): boolean => {
  const instant = Instant.parse(text)
  return instant !== undefined && Instant.order(instant, Instant.parse(bound)) < 0
}

/** A condition that is not given is fulfilled. */
const unless = <A>(wanted: A | undefined, holds: (wanted: A) => boolean): boolean =>
  wanted === undefined || holds(wanted)

/** Whether an issue fulfils all conditions. */
export const matches = (filter: IssueFilter, issue: Issue): boolean =>
  unless(filter.text, part => [issue.title, issue.description, issue.id].some(text => contains(text, part))) &&
  unless(filter.descriptionContains, part => contains(issue.description, part)) &&
  unless(filter.notesContains, part => contains(issue.notes, part)) &&
  unless(filter.emptyDescription, wanted => (issue.description.trim() === "") === wanted) &&
  unless(filter.unlabeled, wanted => (issue.labels.length === 0) === wanted) &&
  unless(filter.createdAfter, bound => isAfter(issue.created_at, bound)) &&
  unless(filter.createdBefore, bound => isBefore(issue.created_at, bound)) &&
  unless(filter.updatedAfter, bound => isAfter(issue.updated_at, bound)) &&
  unless(filter.updatedBefore, bound => isBefore(issue.updated_at, bound)) &&
  unless(filter.closedAfter, bound => isAfter(issue.closed_at, bound)) &&
  unless(filter.closedBefore, bound => isBefore(issue.closed_at, bound))

const keys: { readonly [K in keyof Required<IssueFilter>]: true } = {
  text: true,
  descriptionContains: true,
  notesContains: true,
  emptyDescription: true,
  unlabeled: true,
  createdAfter: true,
  createdBefore: true,
  updatedAfter: true,
  updatedBefore: true,
  closedAfter: true,
  closedBefore: true
}

/** Whether there is none of these conditions. */
export const isEmpty = (filter: IssueFilter): boolean =>
  Object.entries(filter).every(([key, wanted]) => wanted === undefined || !(key in keys))

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const latestFirst = (a: string | undefined, b: string | undefined): number => Instant.compare(b, a)

const orders: Readonly<Record<Sort, (a: Issue, b: Issue) => number>> = {
  priority: (a, b) => a.priority - b.priority || latestFirst(a.created_at, b.created_at),
  created: (a, b) => latestFirst(a.created_at, b.created_at),
  updated: (a, b) => latestFirst(a.updated_at, b.updated_at),
  closed: (a, b) => latestFirst(a.closed_at, b.closed_at),
  status: (a, b) => text(a.status, b.status),
  id: () => 0,
  title: (a, b) => text(a.title.toLowerCase(), b.title.toLowerCase()),
  type: (a, b) => text(a.issue_type, b.issue_type),
  assignee: (a, b) => text(a.assignee ?? "", b.assignee ?? "")
}

/** Orders issues for a list; equal ones by id. */
export const compare =
  (by: Sort) =>
  (a: Issue, b: Issue): number =>
    orders[by](a, b) || text(a.id, b.id)
