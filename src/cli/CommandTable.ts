/**
 * Every command of `bd`: its names, its words, its flags. The one place where they are described; reader, help,
 * `@effect/cli` tree and the types of what a command gets come from here.
 */
import type { CommandSpec, Flags } from "./CommandSpec.ts"

const spec = <const S extends CommandSpec>(command: S): S => command

const ids = { ids: { name: "ID", arity: "some" } } as const
const id = { id: { name: "ID", arity: "one" } } as const

const issueTypes = ["bug", "feature", "task", "epic", "chore"] as const
const statuses = ["open", "in_progress", "blocked", "deferred", "closed"] as const
const dependencyTypes = ["blocks", "related", "parent-child", "discovered-from"] as const

/** Accepted by every command, before or after its name. */
export const globalFlags = {
  json: { kind: "none", summary: "one JSON document on stdout" },
  "json-envelope": { kind: "none", summary: "as --json, lists as {issues, total, truncated}" },
  quiet: { kind: "none", short: "q", summary: "no confirmations" },
  actor: { kind: "text", value: "NAME", summary: "who makes the change (default: BD_ACTOR, git user.name, USER)" },
  db: { kind: "text", value: "PATH", summary: "the store to use (default: BEADS_DB, BEADS_DIR, the nearest .beads)" },
  readonly: { kind: "none", summary: "refuse commands that change anything" },
  "no-auto-flush": { kind: "none", summary: "commit to the store only; the issue file follows with a later command" },
  "no-auto-import": { kind: "none", summary: "answer reads from the store without looking at the issue file" },
  "lock-timeout": { kind: "duration", value: "TIME", summary: "how long to wait for another process (default 30s)" },
  sandbox: { kind: "none", summary: "accepted, changes nothing" },
  "no-daemon": { kind: "none", summary: "accepted, changes nothing: there is no daemon" },
  "no-db": { kind: "none", summary: "refused: there is always a store", hidden: true },
  help: { kind: "none", short: "h", summary: "help on the command" },
  version: { kind: "none", short: "v", summary: "the version" }
} as const satisfies Flags

export const init = spec({
  path: ["init"],
  summary: "Set up .beads in this directory, or take over what is there",
  positionals: {},
  flags: {
    prefix: {
      kind: "text",
      short: "p",
      value: "PREFIX",
      summary: "what ids begin with (default: from the issues, else the directory)"
    },
    branch: { kind: "text", short: "b", value: "BRANCH", summary: "accepted for compatibility" },
    "skip-hooks": { kind: "none", summary: "install no git hooks (the default)" },
    "skip-merge-driver": { kind: "none", summary: "install no merge driver (the default)" },
    hooks: { kind: "none", summary: "install git hooks" },
    "merge-driver": { kind: "none", summary: "register bd as git's merge driver for the issue file" }
  },
  examples: ["bd init", "bd init --prefix app --merge-driver"],
  mutates: true
})

export const create = spec({
  path: ["create"],
  aliases: ["new"],
  summary: "Create an issue",
  positionals: { title: { name: "TITLE", arity: "optional" } },
  flags: {
    title: { kind: "text", value: "TITLE", summary: "the title, instead of the word" },
    type: { kind: "text", short: "t", value: "TYPE", choices: issueTypes, summary: "default task" },
    priority: { kind: "text", short: "p", value: "0-4", summary: "0 (highest) to 4, or P0 to P4; default 2" },
    description: { kind: "prose", short: "d", aliases: ["body"], value: "TEXT", summary: "what it is about" },
    design: { kind: "prose", value: "TEXT", summary: "how it will be done" },
    acceptance: { kind: "prose", aliases: ["acceptance-criteria"], value: "TEXT", summary: "when it is done" },
    notes: { kind: "prose", value: "TEXT", summary: "notes" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: "who works on it" },
    labels: { kind: "list", short: "l", aliases: ["label"], value: "LABEL,…", summary: "labels" },
    "external-ref": { kind: "text", value: "REF", summary: "a reference elsewhere, such as gh-9" },
    estimate: { kind: "int", short: "e", value: "MINUTES", summary: "estimated minutes" },
    id: { kind: "text", value: "ID", summary: "the id to use" },
    parent: { kind: "text", value: "ID", summary: "make it a child of this issue" },
    deps: { kind: "list", value: "[TYPE:]ID,…", summary: "what it depends on" },
    "blocked-by": { kind: "list", value: "ID,…", summary: "what blocks it" },
    blocks: { kind: "list", value: "ID,…", summary: "what it blocks" },
    force: { kind: "none", summary: "allow an id with another prefix" },
    file: { kind: "text", short: "f", value: "FILE.md", summary: "create the issues a Markdown file describes" }
  },
  examples: [
    'bd create "Fix the login page" -t bug -p 1',
    'bd create "Add a test" --deps discovered-from:app-a3f8 -l test,ci',
    "bd create Crash --description-file report.txt"
  ],
  mutates: true
})

export const update = spec({
  path: ["update"],
  summary: "Change issues",
  positionals: ids,
  flags: {
    status: { kind: "text", short: "s", value: "STATUS", choices: statuses, summary: "the status" },
    priority: { kind: "text", short: "p", value: "0-4", summary: "the priority" },
    type: { kind: "text", short: "t", value: "TYPE", choices: issueTypes, summary: "the type" },
    title: { kind: "text", value: "TITLE", summary: "the title" },
    description: { kind: "prose", short: "d", aliases: ["body"], value: "TEXT", summary: "the description" },
    design: { kind: "prose", value: "TEXT", summary: "the design" },
    acceptance: { kind: "prose", aliases: ["acceptance-criteria"], value: "TEXT", summary: "the acceptance criteria" },
    notes: { kind: "prose", value: "TEXT", summary: "the notes" },
    "append-notes": { kind: "prose", value: "TEXT", summary: "a paragraph to add to the notes" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: 'the assignee; "" for none' },
    "external-ref": { kind: "text", value: "REF", summary: 'the reference elsewhere; "" for none' },
    estimate: { kind: "int", short: "e", value: "MINUTES", summary: "the estimate" },
    "add-label": { kind: "list", value: "LABEL,…", summary: "labels to add" },
    "remove-label": { kind: "list", value: "LABEL,…", summary: "labels to remove" },
    "set-labels": { kind: "list", value: "LABEL,…", summary: "the labels, replacing those there" },
    parent: { kind: "text", value: "ID", summary: 'the parent; "" for none' },
    claim: { kind: "none", summary: "take it: assignee and in_progress, only if nobody has it (exit 5)" },
    "if-updated-at": { kind: "text", value: "TIME", summary: "only if it was last updated then (exit 5)" }
  },
  examples: [
    "bd update app-a3f8 --status in_progress",
    "bd update app-a3f8 --claim",
    "git log -1 | bd update app-a3f8 --notes -"
  ],
  mutates: true
})

export const close = spec({
  path: ["close"],
  aliases: ["done"],
  summary: "Close issues",
  positionals: ids,
  flags: {
    reason: { kind: "prose", short: "r", aliases: ["comment"], value: "TEXT", summary: "why; default Closed" },
    "suggest-next": { kind: "none", summary: "show what this made ready" },
    force: { kind: "none", short: "f", summary: "also when something open blocks it" }
  },
  examples: ['bd close app-a3f8 --reason "Fixed in 4d2f"'],
  mutates: true
})

export const reopen = spec({
  path: ["reopen"],
  summary: "Open closed issues again",
  positionals: ids,
  flags: { reason: { kind: "prose", short: "r", value: "TEXT", summary: "why; kept in the audit trail" } },
  examples: ["bd reopen app-a3f8"],
  mutates: true
})

export const remove = spec({
  path: ["delete"],
  summary: "Delete issues; each leaves a tombstone, so no merge brings it back",
  positionals: { ids: { name: "ID", arity: "any" } },
  flags: {
    force: { kind: "none", short: "f", summary: "delete; without it, a preview" },
    cascade: { kind: "none", summary: "with everything that depends on it" },
    "dry-run": { kind: "none", summary: "show what would be deleted" },
    reason: { kind: "prose", short: "r", value: "TEXT", summary: "why" },
    "from-file": { kind: "text", value: "FILE", summary: "ids to delete, one a line" }
  },
  examples: ["bd delete app-a3f8"],
  mutates: true
})

export const undelete = spec({
  path: ["undelete"],
  summary: "Bring deleted issues back",
  positionals: ids,
  flags: {},
  examples: ["bd undelete app-a3f8"],
  mutates: true
})

export const show = spec({
  path: ["show"],
  aliases: ["view"],
  summary: "Show issues in full",
  positionals: ids,
  flags: {
    "include-dependents": { kind: "none", summary: "accepted: dependents are always shown" },
    "include-comments": { kind: "none", summary: "accepted: comments are always shown" }
  },
  examples: ["bd show app-a3f8", "bd show app-a3f8 --json"],
  mutates: false
})

export const list = spec({
  path: ["list"],
  aliases: ["ls"],
  summary: "List issues, closed ones included",
  positionals: {},
  flags: {
    status: { kind: "list", short: "s", value: "STATUS,…", summary: "of these statuses" },
    priority: { kind: "list", short: "p", value: "0-4,…", summary: "of these priorities" },
    "priority-min": { kind: "text", value: "0-4", summary: "of this priority number or a greater one" },
    "priority-max": { kind: "text", value: "0-4", summary: "of this priority number or a smaller one" },
    type: { kind: "list", short: "t", value: "TYPE,…", summary: "of these types" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: "assigned to" },
    "no-assignee": { kind: "none", summary: "assigned to nobody" },
    label: { kind: "list", short: "l", aliases: ["labels"], value: "LABEL,…", summary: "with all of these labels" },
    "label-any": { kind: "list", value: "LABEL,…", summary: "with one of these labels" },
    id: { kind: "list", value: "ID,…", summary: "these issues" },
    title: { kind: "text", value: "TEXT", summary: "with this text in the title" },
    "title-contains": { kind: "text", value: "TEXT", summary: "the same" },
    limit: { kind: "int", short: "n", value: "N", summary: "at most N; 0, the default: all" },
    long: { kind: "none", summary: "several lines an issue" },
    all: { kind: "none", summary: "accepted: closed issues are always listed" }
  },
  examples: ["bd list --status open,in_progress", "bd list -l backend --json"],
  mutates: false,
  notes: "Ordered by priority, then the newest first. Deleted issues are not listed."
})

export const ready = spec({
  path: ["ready"],
  summary: "List open issues that nothing blocks",
  positionals: {},
  flags: {
    limit: { kind: "int", short: "n", value: "N", summary: "at most N; default 10, 0: all" },
    priority: { kind: "list", short: "p", value: "0-4,…", summary: "of these priorities" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: "assigned to" },
    sort: {
      kind: "choice",
      short: "s",
      value: "ORDER",
      choices: ["priority", "oldest", "hybrid"] as const,
      summary: "priority (default), oldest, hybrid"
    },
    label: { kind: "list", short: "l", aliases: ["labels"], value: "LABEL,…", summary: "with all of these labels" },
    "label-any": { kind: "list", value: "LABEL,…", summary: "with one of these labels" },
    "include-in-progress": { kind: "none", summary: "also what is in progress" }
  },
  examples: ["bd ready", "bd ready --json --limit 0"],
  mutates: false,
  notes: `--sort priority: by priority, then the oldest first, then by id.
--sort oldest: the oldest first. --sort hybrid: those of the last 48 hours by priority, then the others, oldest first.`
})

const dependency = {
  positionals: { id: { name: "ID", arity: "one" }, dependsOn: { name: "DEPENDS-ON", arity: "one" } }
} as const

export const depBlockedBy = spec({
  path: ["dep"],
  summary: "Say what blocks an issue; and commands on dependencies",
  positionals: id,
  flags: { "blocked-by": { kind: "list", value: "ID,…", summary: "what blocks it" } },
  examples: ["bd dep app-a3f8 --blocked-by app-77c1"],
  mutates: true
})

export const depAdd = spec({
  path: ["dep", "add"],
  summary: "Make ID depend on DEPENDS-ON",
  ...dependency,
  flags: {
    type: {
      kind: "text",
      short: "t",
      value: "TYPE",
      choices: dependencyTypes,
      summary: "blocks (default), related, parent-child, discovered-from"
    }
  },
  examples: ["bd dep add app-a3f8 app-77c1", "bd dep add app-a3f8.1 app-a3f8 --type parent-child"],
  mutates: true
})

export const depRemove = spec({
  path: ["dep", "remove"],
  aliases: ["rm"],
  summary: "Make ID no longer depend on DEPENDS-ON",
  ...dependency,
  flags: { type: { kind: "text", short: "t", value: "TYPE", summary: "only the dependency of this type" } },
  examples: ["bd dep remove app-a3f8 app-77c1"],
  mutates: true
})

export const depList = spec({
  path: ["dep", "list"],
  summary: "List what an issue depends on",
  positionals: id,
  flags: {},
  examples: ["bd dep list app-a3f8"],
  mutates: false
})

const labelling = { positionals: { ...ids, label: { name: "LABEL", arity: "one" } }, flags: {} } as const

export const labelAdd = spec({
  path: ["label", "add"],
  summary: "Add a label to issues",
  ...labelling,
  examples: ["bd label add app-a3f8 app-77c1 backend"],
  mutates: true
})

export const labelRemove = spec({
  path: ["label", "remove"],
  aliases: ["rm"],
  summary: "Remove a label from issues",
  ...labelling,
  examples: ["bd label remove app-a3f8 backend"],
  mutates: true
})

export const labelList = spec({
  path: ["label", "list"],
  summary: "List the labels of an issue",
  positionals: id,
  flags: {},
  examples: ["bd label list app-a3f8"],
  mutates: false
})

export const labelListAll = spec({
  path: ["label", "list-all"],
  summary: "List all labels, with the number of issues that have them",
  positionals: {},
  flags: {},
  examples: ["bd label list-all"],
  mutates: false
})

export const comments = spec({
  path: ["comments"],
  summary: "List the comments of an issue",
  positionals: id,
  flags: {},
  examples: ["bd comments app-a3f8"],
  mutates: false
})

export const commentsList = spec({ ...comments, path: ["comments", "list"], examples: ["bd comments list app-a3f8"] })

export const commentsAdd = spec({
  path: ["comments", "add"],
  summary: "Comment on an issue",
  positionals: { id: { name: "ID", arity: "one" }, text: { name: "TEXT", arity: "optional", kind: "prose" } },
  flags: {
    author: { kind: "text", short: "a", value: "NAME", summary: "who says it (default: the actor)" },
    file: { kind: "text", short: "f", value: "FILE", summary: "read the text from a file" }
  },
  examples: ['bd comments add app-a3f8 "Seen again on Monday"', "bd comments add app-a3f8 -f log.txt"],
  mutates: true
})

export const comment = spec({
  ...commentsAdd,
  path: ["comment"],
  summary: "Comment on an issue: short for comments add",
  examples: ['bd comment app-a3f8 "Seen again on Monday"']
})

export const exportIssues = spec({
  path: ["export"],
  summary: "Write all issues as JSONL, to stdout or a file",
  positionals: {},
  flags: {
    output: { kind: "text", short: "o", value: "FILE", summary: "write to this file" },
    status: { kind: "list", short: "s", value: "STATUS,…", summary: "only of these statuses" },
    format: { kind: "choice", short: "f", value: "jsonl", choices: ["jsonl"] as const, summary: "accepted" },
    force: { kind: "none", summary: "accepted" }
  },
  examples: ["bd export", "bd export -o copy.jsonl"],
  mutates: false
})

export const importIssues = spec({
  path: ["import"],
  summary: "Merge issues from a JSONL file or stdin",
  positionals: {},
  flags: {
    input: { kind: "text", short: "i", value: "FILE", summary: "read this file instead of stdin" },
    "dry-run": { kind: "none", summary: "show what would change" },
    strict: { kind: "none", summary: "refuse dependencies on issues that do not exist" },
    "skip-existing": { kind: "none", summary: "leave issues alone that are there" },
    prune: { kind: "none", summary: "let issues go that have no line in the input" }
  },
  examples: ["bd import -i other.jsonl --dry-run"],
  mutates: true
})

export const merge = spec({
  path: ["merge"],
  summary: "Merge three versions of an issue file: git's merge driver",
  positionals: {
    out: { name: "OUT", arity: "one" },
    base: { name: "BASE", arity: "one" },
    left: { name: "LEFT", arity: "one" },
    right: { name: "RIGHT", arity: "one" }
  },
  flags: { debug: { kind: "none", summary: "accepted", hidden: true } },
  examples: ["git config merge.beads.driver 'bd merge %A %O %A %B'"],
  mutates: false,
  notes:
    "Needs no store. A BASE that is missing or empty is no common ancestor. Exit 0: merged; 2: a file cannot be read."
})

export const flush = spec({
  path: ["flush"],
  summary: "Publish what is not yet in the issue file; exit 0 means it is on disk",
  positionals: {},
  flags: { full: { kind: "none", summary: "compare every issue with its line" } },
  examples: ["bd flush"],
  mutates: true
})

export const version = spec({
  path: ["version"],
  summary: "Show the version",
  positionals: {},
  flags: {},
  examples: ["bd version --json"],
  mutates: false
})

export const help = spec({
  path: ["help"],
  summary: "Help on a command",
  positionals: { command: { name: "COMMAND", arity: "any" } },
  flags: {},
  examples: ["bd help create"],
  mutates: false
})

/** All commands, in the order of help. */
export const commands = [
  init,
  create,
  update,
  close,
  reopen,
  remove,
  undelete,
  show,
  list,
  ready,
  depBlockedBy,
  depAdd,
  depRemove,
  depList,
  labelAdd,
  labelRemove,
  labelList,
  labelListAll,
  comments,
  commentsList,
  commentsAdd,
  comment,
  exportIssues,
  importIssues,
  merge,
  flush,
  version,
  help
] as const

/** A command by its words: `"dep add"`. */
export type CommandName = Join<(typeof commands)[number]["path"]>

type Join<P extends ReadonlyArray<string>> = P extends readonly [infer A extends string]
  ? A
  : P extends readonly [infer A extends string, infer B extends string]
    ? `${A} ${B}`
    : never

/** Words that only open a group of commands. */
export const groups: ReadonlyMap<string, string> = new Map([
  ["dep", "Dependencies between issues"],
  ["label", "Labels"],
  ["comments", "Comments"]
])
