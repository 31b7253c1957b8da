/** Commands on what hangs on issues: dependencies, labels, comments. */
import { dependencyTypes, id, ids, spec } from "./Parts.ts"

const direction = { kind: "choice", value: "WAY", choices: ["down", "up"] } as const

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

export const link = spec({
  ...depAdd,
  path: ["link"],
  summary: "Make ID depend on DEPENDS-ON: short for dep add",
  examples: ["bd link app-a3f8 app-77c1 --type related"]
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
  summary: "List what an issue depends on, or what depends on it",
  positionals: id,
  flags: {
    direction: { ...direction, summary: "down (default): what it depends on; up: what depends on it" },
    type: {
      kind: "text",
      short: "t",
      value: "TYPE",
      choices: dependencyTypes,
      summary: "only dependencies of this type"
    }
  },
  examples: ["bd dep list app-a3f8", "bd dep list app-a3f8 --direction up"],
  mutates: false
})

export const depTree = spec({
  path: ["dep", "tree"],
  summary: "Show what an issue depends on, and that on, and so on",
  positionals: id,
  flags: {
    "max-depth": { kind: "int", short: "d", value: "N", summary: "at most N levels below it; default 50" },
    reverse: { kind: "none", summary: "what depends on it instead" },
    direction: { ...direction, summary: "up: the same as --reverse; down: not so" },
    "show-all-paths": { kind: "none", summary: "an issue as often as ways lead to it" },
    format: {
      kind: "choice",
      value: "FORMAT",
      choices: ["text", "mermaid", "dot"],
      summary: "mermaid: as a flowchart for Markdown; dot: for Graphviz"
    }
  },
  examples: ["bd dep tree app-a3f8", "bd dep tree app-a3f8 --reverse --format mermaid"],
  mutates: false
})

export const depCycles = spec({
  path: ["dep", "cycles"],
  summary: "List cycles among dependencies that block",
  positionals: {},
  flags: {},
  examples: ["bd dep cycles"],
  mutates: false
})

const labelling = { positionals: { ...ids, label: { name: "LABEL", arity: "one" } }, flags: {} } as const

export const labelAdd = spec({
  path: ["label", "add"],
  summary: "Add a label, or several with commas between them, to issues",
  ...labelling,
  examples: ["bd label add app-a3f8 app-77c1 backend", "bd label add app-a3f8 backend,urgent"],
  mutates: true
})

export const tag = spec({
  ...labelAdd,
  path: ["tag"],
  summary: "Add a label to issues: short for label add",
  examples: ["bd tag app-a3f8 backend"]
})

export const labelRemove = spec({
  path: ["label", "remove"],
  aliases: ["rm"],
  summary: "Remove a label, or several with commas between them, from issues",
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
