/** Commands that ask what there is and what can be done. */
import { fieldFlags, filterFlags, id, issueTypes, listingFlags, refused, spec } from "./Parts.ts"

export const show = spec({
  path: ["show"],
  aliases: ["view"],
  summary: "Show issues in full",
  positionals: { ids: { name: "ID", arity: "any" } },
  flags: {
    id: { kind: "list", value: "ID,…", summary: "these issues, instead of the words" },
    "include-dependents": { kind: "none", summary: "accepted: dependents are always shown" },
    "include-comments": { kind: "none", summary: "accepted: comments are always shown" },
    ...fieldFlags
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
    ...filterFlags,
    ...listingFlags,
    tree: { kind: "none", summary: "children below their parents" },
    format: {
      kind: "choice",
      value: "FORMAT",
      choices: ["digraph", "dot"],
      summary: "the dependencies instead: digraph (for golang's digraph), dot (for Graphviz)"
    },
    all: { kind: "none", summary: "accepted: closed issues are always listed" },
    ready: { kind: "none", summary: "only what bd ready lists" },
    flat: { kind: "none", summary: "accepted: without --tree all issues are of one level", hidden: true },
    "no-pager": { kind: "none", summary: "accepted: there is no pager", hidden: true },
    "include-gates": { kind: "none", summary: "accepted: issues of every type are listed", hidden: true }
  },
  examples: ["bd list --status open,in_progress", "bd list -l backend --json", "bd list --sort updated --limit 20"],
  mutates: false,
  notes: "Ordered by priority, then the newest first. Deleted issues are not listed."
})

export const search = spec({
  path: ["search"],
  summary: "List issues with a text in title, description or id",
  positionals: { text: { name: "TEXT", arity: "one" } },
  flags: { ...filterFlags, ...listingFlags },
  examples: ["bd search login", 'bd search "time out" --status open'],
  mutates: false,
  notes: "Capital letters are no matter. Ordered as list."
})

export const count = spec({
  path: ["count"],
  summary: "Count issues, closed ones included",
  positionals: {},
  flags: {
    by: {
      kind: "choice",
      value: "FIELD",
      choices: ["status", "priority", "type", "assignee", "label"],
      summary: "for each status, priority, type, assignee or label"
    },
    ...filterFlags
  },
  examples: ["bd count --status open", "bd count --by assignee --json"],
  mutates: false
})

export const ready = spec({
  path: ["ready"],
  summary: "List open issues that nothing blocks",
  positionals: {},
  flags: {
    limit: { kind: "int", short: "n", value: "N", summary: "at most N; default 10, 0: all" },
    priority: { kind: "list", short: "p", value: "0-4,…", summary: "of these priorities" },
    type: { kind: "list", short: "t", value: "TYPE,…", choices: issueTypes, summary: "of these types" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: "assigned to" },
    unassigned: { kind: "none", short: "u", summary: "assigned to nobody" },
    sort: {
      kind: "choice",
      short: "s",
      value: "ORDER",
      choices: ["priority", "oldest", "hybrid"] as const,
      summary: "priority (default), oldest, hybrid"
    },
    label: { kind: "list", short: "l", aliases: ["labels"], value: "LABEL,…", summary: "with all of these labels" },
    "label-any": { kind: "list", value: "LABEL,…", summary: "with one of these labels" },
    parent: { kind: "text", value: "ID", summary: "what descends from this issue" },
    mol: refused("text", "there are no molecules here: bd ready --parent ID lists what descends from an issue"),
    gated: refused("none", "there are no gates here: what waits for others is listed by bd blocked"),
    "include-in-progress": { kind: "none", summary: "also what is in progress" },
    claim: { kind: "none", summary: "take the first of them that nobody has, as bd claim does" },
    ...fieldFlags
  },
  examples: ["bd ready", "bd ready --json --limit 0", "bd ready --claim --json"],
  mutates: false,
  mutatesWith: "claim",
  notes: `--sort priority: by priority, then the oldest first, then by id.
--sort oldest: the oldest first. --sort hybrid: those of the last 48 hours by priority, then the others, oldest first.
--claim: looks and takes in one step, so several who ask at once get different issues; none is left: exit 0, [].`
})

export const blocked = spec({
  path: ["blocked"],
  summary: "List issues that wait for others, with those they wait for",
  positionals: {},
  flags: { parent: { kind: "text", value: "ID", summary: "what descends from this issue" }, ...fieldFlags },
  examples: ["bd blocked --json", "bd blocked --fields id,blocked_by"],
  mutates: false,
  notes: "What is blocked through its parent is listed too, with what blocks the parent."
})

export const stale = spec({
  path: ["stale"],
  summary: "List issues not closed that nobody has changed for long",
  positionals: {},
  flags: {
    days: { kind: "int", short: "d", value: "N", summary: "for N days; default 30" },
    status: { kind: "list", short: "s", value: "STATUS,…", summary: "of these statuses" },
    limit: { kind: "int", short: "n", value: "N", summary: "at most N; default 50, 0: all" },
    ...fieldFlags
  },
  examples: ["bd stale --days 14 --status in_progress"],
  mutates: false
})

export const stats = spec({
  path: ["stats"],
  aliases: ["status"],
  summary: "Count what is open, blocked, ready and done",
  positionals: {},
  flags: {
    all: { kind: "none", summary: "accepted" },
    assigned: { kind: "none", summary: "only what is assigned to the actor" }
  },
  examples: ["bd stats", "bd stats --json", "bd stats --assigned"],
  mutates: false
})

export const history = spec({
  path: ["history"],
  summary: "Show what happened to an issue, the newest first",
  positionals: id,
  flags: { limit: { kind: "int", short: "n", value: "N", summary: "at most N; 0, the default: all" } },
  examples: ["bd history app-a3f8"],
  mutates: false,
  notes: "As far as this store knows: the audit trail is not in the issue file."
})

export const log = spec({
  path: ["log"],
  summary: "Show what happened to all issues, the newest first",
  positionals: {},
  flags: { limit: { kind: "int", short: "n", value: "N", summary: "at most N; default 50, 0: all" } },
  examples: ["bd log --limit 10"],
  mutates: false,
  notes: "As far as this store knows: the audit trail is not in the issue file."
})

export const epicStatus = spec({
  path: ["epic", "status"],
  summary: "List epics that are not closed, with how many of their children are",
  positionals: {},
  flags: { "eligible-only": { kind: "none", summary: "only those whose children are all closed" } },
  examples: ["bd epic status --eligible-only"],
  mutates: false
})

export const epicCloseEligible = spec({
  path: ["epic", "close-eligible"],
  summary: "Close the epics whose children are all closed",
  positionals: {},
  flags: { "dry-run": { kind: "none", summary: "show which" } },
  examples: ["bd epic close-eligible --dry-run"],
  mutates: true
})

export const graph = spec({
  path: ["graph"],
  summary: "Draw issues and what links them, as a page for the browser",
  positionals: { ids: { name: "ID", arity: "any" } },
  flags: {
    output: { kind: "text", short: "o", value: "FILE", summary: "where to write; - is stdout" },
    all: { kind: "none", summary: "closed issues too" },
    format: {
      kind: "choice",
      value: "FORMAT",
      choices: ["html", "dot", "mermaid"],
      summary: "html (default); dot for Graphviz, mermaid for Markdown, both on stdout"
    },
    html: { kind: "none", summary: "the page on stdout: short for -o -" },
    dot: { kind: "none", summary: "short for --format dot" },
    force: { kind: "none", short: "f", summary: "write over a file that is not from bd graph" }
  },
  examples: ["bd graph", "bd graph app-a3f8 -o plan.html", "bd graph --format dot > graph.dot"],
  mutates: false,
  notes:
    "Without ID: all that is not closed. With: these issues, what they hang on, and what hangs on them, however far.\nThe page is one file that loads nothing, beads-graph.html unless -o names another. With --json alone nothing is written: the issues and dependencies are the answer."
})
