/** Commands that make and change issues. */
import { id, ids, issueTypes, refused, spec, statuses } from "./Parts.ts"

const noMetadata = refused("text", "there is no such field: --external-ref names what is elsewhere, --notes takes text")
const noDates = refused("text", "issues have no dates to come: bd update ID --status deferred keeps one from bd ready")

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
    stdin: { kind: "none", summary: "read the description from stdin", shortFor: ["--description-file", "-"] },
    metadata: noMetadata,
    "spec-id": noMetadata,
    due: noDates,
    defer: noDates,
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
    force: { kind: "none", summary: "allow an id with another prefix, and a second issue of one --external-ref" },
    file: {
      kind: "text",
      short: "f",
      value: "FILE",
      summary: "create the issues that a file describes, JSONL or Markdown; -: stdin"
    },
    "dry-run": { kind: "none", summary: "show what would be created" },
    "from-template": refused("text", "bd create --file FILE makes an issue that Markdown or JSONL describes"),
    repo: refused("text", "each project has a .beads of its own; --db and BEADS_DIR choose one")
  },
  examples: [
    'bd create "Fix the login page" -t bug -p 1',
    'bd create "Add a test" --deps discovered-from:app-a3f8 -l test,ci',
    "bd create Crash --description-file report.txt",
    `printf '%s\\n' '{"key":"a","title":"First"}' '{"title":"Second","blocked_by":["a"]}' | bd create -f -`
  ],
  mutates: true,
  notes: `--external-ref R, when an issue has it already: that issue is the answer and stays as it is, exit 0. So a create can
be repeated without a second issue coming of it. If the issue was deleted: exit 5.

--file makes all of the issues or none. JSONL: an object a line (or one array of them), with the fields of --json: title,
description, design, acceptance_criteria, notes, priority, issue_type, status, assignee, estimated_minutes, external_ref,
labels; and id, parent, deps (["TYPE:ID", …]), blocked_by, blocks. key names an issue for the others of the file, in parent,
deps, blocked_by and blocks. Markdown: ## begins an issue; ### Priority, Type, Description, Design, Acceptance, Notes,
Assignee, Labels, Deps.`
})

export const quick = spec({
  path: ["q"],
  summary: "Create an issue, and print its id only",
  positionals: { title: { name: "TITLE", arity: "one" } },
  flags: {
    type: { kind: "text", short: "t", value: "TYPE", choices: issueTypes, summary: "default task" },
    priority: { kind: "text", short: "p", value: "0-4", summary: "0 (highest) to 4, or P0 to P4; default 2" },
    description: { kind: "prose", short: "d", aliases: ["body"], value: "TEXT", summary: "what it is about" },
    assignee: { kind: "text", short: "a", value: "NAME", summary: "who works on it" },
    labels: { kind: "list", short: "l", aliases: ["label"], value: "LABEL,…", summary: "labels" },
    parent: { kind: "text", value: "ID", summary: "make it a child of this issue" }
  },
  examples: ['bd q "Fix the login page" -t bug -p 1'],
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
    stdin: { kind: "none", summary: "read the description from stdin", shortFor: ["--description-file", "-"] },
    metadata: noMetadata,
    "spec-id": noMetadata,
    due: noDates,
    defer: noDates,
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

export const claim = spec({
  path: ["claim"],
  summary: "Take issues: assignee and in_progress, only if nobody has them (exit 5)",
  positionals: ids,
  flags: {},
  examples: ["bd claim app-a3f8"],
  mutates: true,
  notes: "Of several who try at once one wins. Claiming again what one has is success, and changes nothing."
})

export const close = spec({
  path: ["close"],
  aliases: ["done"],
  summary: "Close issues",
  positionals: ids,
  flags: {
    reason: { kind: "prose", short: "r", aliases: ["comment"], value: "TEXT", summary: "why; default Closed" },
    "suggest-next": { kind: "none", summary: "show what this made ready" },
    force: { kind: "none", short: "f", summary: "accepted: what blocks an issue does not keep it from being closed" }
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

export const assign = spec({
  path: ["assign"],
  summary: "Assign an issue: short for update --assignee",
  positionals: { ...id, assignee: { name: "NAME", arity: "one" } },
  flags: {},
  examples: ["bd assign app-a3f8 bob", 'bd assign app-a3f8 ""'],
  mutates: true
})

export const prioritize = spec({
  path: ["priority"],
  summary: "Set the priority of an issue: short for update --priority",
  positionals: { ...id, priority: { name: "0-4", arity: "one" } },
  flags: {},
  examples: ["bd priority app-a3f8 1"],
  mutates: true
})

export const note = spec({
  path: ["note"],
  summary: "Add a paragraph to the notes of an issue: short for update --append-notes",
  positionals: { ...id, text: { name: "TEXT", arity: "one", kind: "prose" } },
  flags: {},
  examples: ['bd note app-a3f8 "Only with Safari"'],
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
