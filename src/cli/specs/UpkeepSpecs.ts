/** Commands that look for what should not be there, and put it right when they are asked to. */
import { refused, spec } from "./Parts.ts"

export const duplicates = spec({
  path: ["duplicates"],
  summary: "Find open issues of equal content",
  positionals: {},
  flags: {
    "auto-merge": { kind: "none", summary: "close the duplicates in favour of the issue referred to most" },
    "dry-run": { kind: "none", summary: "with --auto-merge: show what would be done" }
  },
  examples: ["bd duplicates", "bd duplicates --auto-merge --dry-run"],
  mutates: false,
  mutatesWith: "auto-merge",
  notes: `Equal are title, description, design, acceptance criteria, status and parent. The issue to keep is the one that
others mention or depend on most; of equal ones, the one with the smallest id.
--auto-merge closes the others with the note "Duplicate of ID" and a related link to it; what they block waits for it
instead. One that has children, or whose merge would close a cycle, is left alone and told. bd reopen undoes a close.`
})

export const checkNames = ["orphans", "duplicates", "pollution", "conflicts"] as const

export const validate = spec({
  path: ["validate"],
  summary: "Check the issues: dangling dependencies, duplicates, test leftovers, conflicts; exit 1 if any are found",
  positionals: {},
  flags: {
    checks: {
      kind: "list",
      value: "CHECK,…",
      choices: checkNames,
      summary: `of ${checkNames.join(", ")}; default: all`
    },
    "fix-all": { kind: "none", aliases: ["fix"], summary: "repair what needs no decision: dangling dependencies" },
    yes: { kind: "none", short: "y", summary: "accepted: nothing asks", hidden: true }
  },
  examples: ["bd validate", "bd validate --checks orphans,conflicts --json"],
  mutates: false,
  mutatesWith: "fix-all",
  notes: "bd doctor looks at the files, the store and git; bd validate at the issues."
})

export const repairDeps = spec({
  path: ["repair-deps"],
  summary: "Find dependencies on issues that do not exist",
  positionals: {},
  flags: {
    fix: { kind: "none", summary: "remove them" },
    interactive: refused("none", "nothing asks here: without flags they are listed, and bd dep remove takes one away")
  },
  examples: ["bd repair-deps", "bd repair-deps --fix"],
  mutates: false,
  mutatesWith: "fix",
  notes: `They hold nothing up, and are kept until they are removed here: the issue may come with another branch. A deleted
issue does exist: bd undelete finds its links where they were.`
})

export const detectPollution = spec({
  path: ["detect-pollution"],
  summary: "Find issues that look as if a test had left them behind",
  positionals: {},
  flags: {
    clean: { kind: "none", summary: "delete them; only together with --yes, else a preview" },
    yes: { kind: "none", short: "y", summary: "with --clean: do delete them" }
  },
  examples: ["bd detect-pollution", "bd detect-pollution --json"],
  mutates: false,
  mutatesWith: "clean",
  notes: "A guess by title, id, description and time: read the list first. bd undelete brings a deleted issue back."
})

export const migrate = spec({
  path: ["migrate"],
  summary: "Bring the store to this version: done by every command, so there is nothing left to do",
  positionals: {},
  flags: {
    inspect: { kind: "none", summary: "show schema version, migrations and issue count" },
    "dry-run": { kind: "none", summary: "accepted: nothing is changed" },
    cleanup: { kind: "none", summary: "accepted", hidden: true },
    yes: { kind: "none", summary: "accepted", hidden: true },
    "update-repo-id": { kind: "none", summary: "accepted: there is no such id", hidden: true },
    "to-hash-ids": refused("none", "ids stay as they are, whatever their form; new ones are hashes"),
    "to-separate-branch": refused("text", "the issue file is on the branch that is checked out, as any other file")
  },
  examples: ["bd migrate", "bd migrate --inspect --json"],
  mutates: false
})

export const doctor = spec({
  path: ["doctor"],
  summary: "Check files, store and git, say what each finding means and what to do; exit 1 if something is wrong",
  positionals: { path: { name: "PATH", arity: "optional" } },
  flags: {
    fix: { kind: "none", summary: "repair what can be repaired without a decision; backs up first" },
    quarantine: {
      kind: "none",
      summary: "with --fix: move lines that cannot be read out of the issue file, and keep them"
    },
    check: {
      kind: "list",
      value: "CHECK,…",
      summary: "tell only of these checks, by their names in --json; or pollution, validate: the commands"
    },
    clean: { kind: "none", summary: "goes with --check=pollution", hidden: true },
    yes: { kind: "none", short: "y", summary: "accepted: nothing asks", hidden: true },
    perf: refused("none", "doctor measures no time: time bd list does")
  },
  examples: ["bd doctor", "bd doctor --json", "bd doctor --fix"],
  mutates: false,
  mutatesWith: "fix",
  elsewhere: { flag: "check", commands: { pollution: ["detect-pollution"], validate: ["validate"] } },
  notes: `It reads only, and works also where the store cannot be opened or the issue file cannot be read.
--fix adds what .beads/.gitignore lacks, writes metadata.json anew if it cannot be read, removes temporary files of dead
processes, and publishes what is not in the issue file yet. It touches nothing else, and doing it again changes nothing.
--quarantine moves each line that cannot be read, git's conflict markers among them, into .beads/quarantine, with a copy
of the whole file beside them; both are on disk before a line leaves the issue file.
A warning is worth knowing; only an error makes the exit code 1.`
})
