/** What the specs of several commands have in common. */
import type { CommandSpec, Flags } from "../CommandSpec.ts"

/** A command as it stands in the table: its flags and words keep their types. */
export const spec = <const S extends CommandSpec>(command: S): S => command

export const ids = { ids: { name: "ID", arity: "some" } } as const
export const id = { id: { name: "ID", arity: "one" } } as const

export const issueTypes = ["bug", "feature", "task", "epic", "chore"] as const
export const statuses = ["open", "in_progress", "blocked", "deferred", "closed"] as const
export const dependencyTypes = ["blocks", "related", "parent-child", "discovered-from"] as const

/** A flag of the classic tool that is refused. */
export const refused = <const K extends "none" | "text">(kind: K, instead: string) =>
  ({ kind, summary: "refused", hidden: true, refused: instead }) as const

/** What `list`, `search` and `count` filter by. All that is given must hold. */
export const filterFlags = {
  status: { kind: "list", short: "s", value: "STATUS,…", choices: statuses, summary: "of these statuses" },
  priority: { kind: "list", short: "p", value: "0-4,…", summary: "of these priorities" },
  "priority-min": { kind: "text", value: "0-4", summary: "of this priority number or a greater one" },
  "priority-max": { kind: "text", value: "0-4", summary: "of this priority number or a smaller one" },
  type: { kind: "list", short: "t", value: "TYPE,…", choices: issueTypes, summary: "of these types" },
  assignee: { kind: "text", short: "a", value: "NAME", summary: "assigned to" },
  "no-assignee": { kind: "none", summary: "assigned to nobody" },
  label: { kind: "list", short: "l", aliases: ["labels"], value: "LABEL,…", summary: "with all of these labels" },
  "label-any": { kind: "list", value: "LABEL,…", summary: "with one of these labels" },
  "no-labels": { kind: "none", summary: "without labels" },
  id: { kind: "list", value: "ID,…", summary: "these issues" },
  parent: { kind: "text", value: "ID", summary: "what descends from this issue" },
  title: { kind: "text", value: "TEXT", summary: "with this text in the title" },
  "title-contains": { kind: "text", value: "TEXT", summary: "the same" },
  "desc-contains": { kind: "text", value: "TEXT", summary: "with this text in the description" },
  "notes-contains": { kind: "text", value: "TEXT", summary: "with this text in the notes" },
  "empty-description": { kind: "none", summary: "without description" },
  "created-after": { kind: "text", value: "TIME", summary: "created after it: 2026-01-31, or as RFC 3339 writes it" },
  "created-before": { kind: "text", value: "TIME", summary: "created before it" },
  "updated-after": { kind: "text", value: "TIME", summary: "last changed after it" },
  "updated-before": { kind: "text", value: "TIME", summary: "last changed before it" },
  "closed-after": { kind: "text", value: "TIME", summary: "closed after it" },
  "closed-before": { kind: "text", value: "TIME", summary: "closed before it" }
} as const satisfies Flags

/** Which fields of an issue are shown. */
export const fieldFlags = {
  fields: { kind: "list", value: "FIELD,…", summary: "only these fields; as text, with tabs between them" },
  brief: { kind: "none", summary: "with --json: id, title, status, priority, issue_type and assignee only" }
} as const satisfies Flags

/** How `list` and `search` order, cut and show what they find. */
export const listingFlags = {
  limit: { kind: "int", short: "n", value: "N", summary: "at most N; 0, the default: all" },
  sort: {
    kind: "choice",
    value: "ORDER",
    choices: ["priority", "created", "updated", "closed", "status", "id", "title", "type", "assignee"],
    summary: "priority (default), created, updated, closed, status, id, title, type, assignee"
  },
  reverse: { kind: "none", short: "r", summary: "the other way round" },
  long: { kind: "none", summary: "several lines an issue" },
  ...fieldFlags
} as const satisfies Flags
