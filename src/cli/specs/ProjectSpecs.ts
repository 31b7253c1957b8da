/** Commands on the project as a whole: its files, its settings, the program itself. */
import { refused, spec } from "./Parts.ts"

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
    "merge-driver": { kind: "none", summary: "register bd as git's merge driver for the issue file" },
    team: refused("none", "nothing has to be set up for a team: commit .beads, and every clone has the issues"),
    contributor: refused("none", "to keep issues out of a repository, init a .beads elsewhere; BEADS_DIR names it")
  },
  examples: ["bd init", "bd init --prefix app --merge-driver"],
  mutates: true
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
    "skip-existing": { kind: "none", short: "s", summary: "leave issues alone that are there" },
    "rename-on-import": { kind: "none", summary: "give new issues with ids of another prefix ids of this project" },
    prune: { kind: "none", summary: "let issues go that have no line in the input" },
    "dedupe-after": { kind: "none", summary: "tell afterwards which open issues are of equal content" },
    "clear-duplicate-external-refs": {
      kind: "none",
      summary: "accepted: lines that share an external reference do not hinder an import",
      hidden: true
    }
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

export const flushStatus = spec({
  path: ["flush", "status"],
  summary: "Show what is not yet in the issue file, and how the last flush went",
  positionals: {},
  flags: {},
  examples: ["bd flush status", "bd flush status --json"],
  mutates: false,
  notes: "Looks only: it takes nothing over from the issue file and writes nothing into it."
})

export const sync = spec({
  path: ["sync"],
  summary: "With --flush-only or --import-only: bring the issue file and the store together",
  positionals: {},
  flags: {
    "flush-only": { kind: "none", summary: "publish what is not yet in the issue file, as bd flush" },
    "import-only": { kind: "none", summary: "take over what is new in the issue file" },
    message: { kind: "text", short: "m", value: "TEXT", summary: "accepted", hidden: true },
    "dry-run": { kind: "none", summary: "accepted", hidden: true },
    "no-push": { kind: "none", summary: "accepted", hidden: true },
    "no-pull": { kind: "none", summary: "accepted", hidden: true },
    "rename-on-import": { kind: "none", summary: "accepted", hidden: true },
    status: { kind: "none", summary: "accepted", hidden: true },
    merge: { kind: "none", summary: "accepted", hidden: true }
  },
  examples: ["bd sync --flush-only", "bd sync --import-only"],
  mutates: true,
  notes: "Without one of the two it is not there yet: git add, commit, pull and push the issue file as any other file."
})

export const renamePrefix = spec({
  path: ["rename-prefix"],
  summary: "Give the ids of all issues another prefix",
  positionals: { prefix: { name: "PREFIX", arity: "one" } },
  flags: {
    from: { kind: "text", value: "PREFIX", summary: "the prefix to replace (default: that of new ids)" },
    "dry-run": { kind: "none", summary: "show what would change" },
    repair: refused("none", "give the other prefixes one by one: bd rename-prefix NEW --from OTHER")
  },
  examples: ["bd rename-prefix app --dry-run", "bd rename-prefix app"],
  mutates: true,
  notes: `Dependencies and mentions in title, description, design, acceptance criteria and notes follow; comments stay as
they were said. The old ids stay as tombstones: they still find the issue, and edits of them that others made in the
meantime are applied to it.`
})

export const info = spec({
  path: ["info"],
  summary: "Show the store in use, and its settings",
  positionals: {},
  flags: {
    schema: { kind: "none", summary: "with schema version, tables and some ids" },
    "whats-new": { kind: "none", summary: "what is different from the classic bd, instead" }
  },
  examples: ["bd info --json", "bd info --schema"],
  mutates: false
})

export const doltShow = spec({
  path: ["dolt", "show"],
  summary: "Tell front ends that know beads with Dolt that no server has to be asked",
  positionals: {},
  flags: {},
  examples: ["bd dolt show --json"],
  mutates: false,
  hidden: true,
  notes: "There is no Dolt here. vscode-beads asks before it chooses between bd and a server of Dolt."
})

export const where = spec({
  path: ["where"],
  summary: "Show which .beads is in use",
  positionals: {},
  flags: {},
  examples: ["bd where --json"],
  mutates: false
})

const key = { key: { name: "KEY", arity: "one" } } as const

export const configGet = spec({
  path: ["config", "get"],
  summary: "Show a setting of this repository",
  positionals: key,
  flags: {},
  examples: ["bd config get issue-prefix"],
  mutates: false
})

export const configSet = spec({
  path: ["config", "set"],
  summary: "Change a setting of this repository, in .beads/config.yaml",
  positionals: { ...key, value: { name: "VALUE", arity: "one" } },
  flags: {},
  examples: ["bd config set issue-prefix app"],
  mutates: true
})

export const configList = spec({
  path: ["config", "list"],
  summary: "List the settings of this repository",
  positionals: {},
  flags: {},
  examples: ["bd config list --json"],
  mutates: false
})

export const configUnset = spec({
  path: ["config", "unset"],
  summary: "Remove a setting of this repository",
  positionals: key,
  flags: {},
  examples: ["bd config unset jira.url"],
  mutates: true
})

/** What the classic tool has and this one has not yet. Any words are taken, so that the answer is the same. */
const later = (name: string, summary: string) =>
  ({
    path: [name],
    summary: `${summary}: not there yet`,
    positionals: { words: { name: "WORD", arity: "any" } },
    mutates: false,
    hidden: true
  }) as const

export const daemon = spec({
  ...later("daemon", "A process in the background"),
  path: ["daemon"],
  flags: {
    start: { kind: "none", summary: "accepted", hidden: true },
    stop: { kind: "none", summary: "accepted", hidden: true },
    status: { kind: "none", summary: "accepted", hidden: true },
    health: { kind: "none", summary: "accepted", hidden: true },
    global: { kind: "none", summary: "accepted", hidden: true },
    "auto-commit": { kind: "none", summary: "accepted", hidden: true },
    "auto-push": { kind: "none", summary: "accepted", hidden: true },
    interval: { kind: "text", summary: "accepted", hidden: true },
    log: { kind: "text", summary: "accepted", hidden: true }
  },
  examples: ["bd daemon"]
})

export const hooks = spec({
  ...later("hooks", "Git hooks"),
  path: ["hooks"],
  flags: { force: { kind: "none", summary: "accepted", hidden: true } },
  examples: ["bd hooks"]
})

export const resolve = spec({
  ...later("resolve", "Resolving conflicts in the issue file"),
  path: ["resolve"],
  flags: {},
  examples: ["bd resolve"]
})

export const version = spec({
  path: ["version"],
  summary: "Show the version",
  positionals: {},
  flags: { daemon: refused("none", "there is no daemon whose version could differ") },
  examples: ["bd version --json"],
  mutates: false
})

export const help = spec({
  path: ["help"],
  summary: "Help on a command",
  positionals: { command: { name: "COMMAND", arity: "any" } },
  // hidden from completion, which completes commands behind `help`
  flags: { all: { kind: "none", summary: "on every command", hidden: true } },
  examples: ["bd help create", "bd help --all > commands.md"],
  mutates: false,
  notes: "bd help --all prints the help on every command, as one page of Markdown."
})
