/**
 * Every command of `bd`: its names, its words, its flags. The one place where they are described; reader, help,
 * `@effect/cli` tree and the types of what a command gets come from here.
 */
import type { Flags } from "./CommandSpec.ts"
import * as Guides from "./specs/GuideSpecs.ts"
import * as Issues from "./specs/IssueSpecs.ts"
import * as Links from "./specs/LinkSpecs.ts"
import * as Project from "./specs/ProjectSpecs.ts"
import * as Queries from "./specs/QuerySpecs.ts"
import * as Upkeep from "./specs/UpkeepSpecs.ts"

export * from "./specs/GuideSpecs.ts"
export * from "./specs/IssueSpecs.ts"
export * from "./specs/LinkSpecs.ts"
export * from "./specs/ProjectSpecs.ts"
export * from "./specs/QuerySpecs.ts"
export * from "./specs/UpkeepSpecs.ts"

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
  "no-db": {
    kind: "none",
    summary: "refused",
    hidden: true,
    refused: "the store is only a cache of the issue file, so nothing is gained without it"
  },
  profile: {
    kind: "none",
    summary: "refused",
    hidden: true,
    refused: "Node profiles any program: node --cpu-prof, with the path of bd"
  },
  help: { kind: "none", short: "h", summary: "help on the command" },
  version: { kind: "none", short: "v", summary: "the version" }
} as const satisfies Flags

/** All commands, in the order of help. */
export const commands = [
  Project.init,
  Issues.create,
  Issues.quick,
  Issues.update,
  Issues.claim,
  Issues.close,
  Issues.reopen,
  Issues.assign,
  Issues.prioritize,
  Issues.note,
  Issues.remove,
  Issues.undelete,
  Queries.show,
  Queries.list,
  Queries.search,
  Queries.count,
  Queries.ready,
  Queries.blocked,
  Queries.stale,
  Queries.stats,
  Queries.history,
  Queries.log,
  Queries.epicStatus,
  Queries.epicCloseEligible,
  Links.depBlockedBy,
  Links.depAdd,
  Links.link,
  Links.depRemove,
  Links.depList,
  Links.depTree,
  Links.depCycles,
  Queries.graph,
  Links.labelAdd,
  Links.tag,
  Links.labelRemove,
  Links.labelList,
  Links.labelListAll,
  Links.comments,
  Links.commentsList,
  Links.commentsAdd,
  Links.comment,
  Project.exportIssues,
  Project.importIssues,
  Project.merge,
  Project.flush,
  Project.flushStatus,
  Project.sync,
  Project.renamePrefix,
  Project.info,
  Project.where,
  Project.doltShow,
  Project.configGet,
  Project.configSet,
  Project.configList,
  Project.configUnset,
  Upkeep.doctor,
  Upkeep.duplicates,
  Upkeep.validate,
  Upkeep.repairDeps,
  Upkeep.detectPollution,
  Upkeep.migrate,
  Guides.quickstart,
  Guides.prime,
  Guides.onboard,
  Guides.completionBash,
  Guides.completionZsh,
  Guides.completionFish,
  Project.daemon,
  Project.hooks,
  Project.resolve,
  Project.version,
  Project.help
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
  ["comments", "Comments"],
  ["epic", "Epics and how far they are"],
  ["config", "Settings of this repository"],
  ["completion", "Completion of commands and flags in a shell"]
])
