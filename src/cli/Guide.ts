/** What `prime`, `quickstart` and `onboard` say. Pure. */

import type { Issue } from "../domain/Issue.ts"
import type { Statistics } from "../tracker/Tracker.ts"
import * as Escape from "./Escape.ts"
import * as Plural from "./Plural.ts"
import * as Render from "./Render.ts"

/** How a project stands. */
export interface State {
  readonly stats: Statistics
  readonly prefix: string
  readonly issueFile: string
  readonly unpublished: number
  readonly inProgress: ReadonlyArray<Issue>
  /** The first of what is ready. */
  readonly ready: ReadonlyArray<Issue>
}

/** How many issues of a kind are shown. */
export const shown = 5

const widest = 110

const line = (issue: Issue): string => {
  const characters = Array.from(Render.issueLine(issue))
  return `- ${characters.length > widest ? `${characters.slice(0, widest - 1).join("")}…` : characters.join("")}`
}

const group = (title: string, issues: ReadonlyArray<Issue>, total: number, more: string): ReadonlyArray<string> =>
  issues.length === 0
    ? []
    : [
        `${title}:`,
        ...issues.slice(0, shown).map(line),
        ...(total > shown ? [`- … and ${total - shown} more: ${more}`] : [])
      ]

const now = ({ inProgress, ready, stats, unpublished }: State): ReadonlyArray<string> => [
  "## Now",
  stats.total === 0
    ? 'No issues yet: bd create "Title" -t task -p 2'
    : `${Plural.of(stats.total, "issue")}: ${stats.open} open, ${stats.inProgress} in progress, ${stats.closed} closed; ${stats.ready} ready, ${stats.blocked} blocked.`,
  ...group("In progress", inProgress, stats.inProgress, "bd list -s in_progress"),
  ...group("Ready", ready, stats.ready, "bd ready --limit 0"),
  ...(stats.epicsEligibleForClosure === 0
    ? []
    : ["Epics whose children are all closed: bd epic status --eligible-only"]),
  ...(unpublished === 0 ? [] : [`Not in the issue file yet: ${unpublished} (bd flush)`])
]

const work = `## Work
1. \`bd ready\` lists what nothing blocks. \`bd ready --claim --json\` takes the first of it; of several agents one gets it.
2. \`bd show ID\` before you begin. \`bd claim ID\` if you chose it yourself; exit 5: somebody has it, take another.
3. Keep what you learn: \`bd update ID --append-notes "…"\`, \`bd comment ID "…"\`.
4. File what you find instead of fixing it in passing:
   \`bd create "Title" -t bug -p 1 -d "what, where, why" --deps discovered-from:ID --json\`
5. \`bd close ID --reason "what was done" --suggest-next\`, then commit the issue file with the code it belongs to.

## Know
- Types: bug, feature, task, epic, chore. Priorities: 0 (now) to 4 (some day), default 2.
- \`bd dep add A B\`: A depends on B, so B blocks A. \`bd create … --parent EPIC\` makes a child. \`bd blocked\` tells what waits.
- \`bd list --status open --priority 0,1 --label x\`, \`bd search TEXT\`, \`bd stats\`, \`bd history ID\`. Ids may be cut short.
- \`--json\` on any command: one document on stdout; a failure is {"error":{"code","message","hint"}}.
- Long text: \`-d -\` reads stdin, \`--description-file FILE\` a file. Text that begins with - goes after \`--\`.
- Exit 0: the change is on disk in the issue file. 3 not found, 4 invalid, 5 conflict, 6 locked (try again),
  7 committed but not in the file yet (do not repeat the change; \`bd flush\`), 8 nothing was changed.
- Asking again for what is already so is success, so a retry does no harm.
- The issue file is bd's: do not edit it by hand, keep no other list of tasks. Trouble: \`bd doctor\`.
- \`bd help\`, \`bd COMMAND --help\`.`

/** `prime`: at most 60 lines. `state` may be a sentence on why it is not known. */
export const prime = (state: State | string, brief: boolean): string => {
  const stands = typeof state === "string" ? ["## Now", `Not known: ${Escape.line(state)}. See bd doctor.`] : now(state)
  if (brief) return `# bd: the issues of this project\n\n${stands.join("\n")}\n`
  const where =
    typeof state === "string" ? "" : ` in \`${Escape.line(state.issueFile)}\`, ids \`${Escape.line(state.prefix)}-…\``
  return `# bd: the issues of this project

This project keeps its tasks in bd${where}. Use it instead of TODO files and lists in Markdown.

${stands.join("\n")}

${work}
`
}

/** `quickstart`. */
export const quickstart = `
bd - Dependency-Aware Issue Tracker

Issues chained together like beads. They live in .beads/issues.jsonl, one a line, which git carries.

START
  bd init                            set up .beads in this directory (or take over what is there)
  bd init --prefix app               ids become app-a3f8, app-77c1, …
  bd init --merge-driver             let git merge the issue file by issue and field

CREATE
  bd create "Fix the login page"
  bd create "Add a test" -p 1 -t task -d "For the login page" -l test
  bd create "Child" --parent app-a3f8

LOOK
  bd list                            all issues       bd list -s open -p 0,1
  bd show app-a3f8                   one in full      bd search login
  bd ready                           what can be begun: open, and nothing blocks it
  bd blocked                         what waits, and for what

LINK
  bd dep add app-77c1 app-a3f8       app-77c1 depends on app-a3f8, which blocks it
  bd dep tree app-77c1               bd dep cycles
  Types: blocks (the default), parent-child, related, discovered-from. Only the first two hold work up.

WORK
  bd ready --claim                   take the next one      bd claim app-a3f8
  bd update app-a3f8 -p 0 --append-notes "Seen again"
  bd comment app-a3f8 "Why it happens"
  bd close app-a3f8 --reason "Fixed in 4d2f" --suggest-next

SHARE
  Every change is in the issue file when the command ends: commit it with the code. What comes with a pull is taken in by
  the next command; if two changed one issue, their changes are merged field by field.

AGENTS
  bd prime                           tells an agent all of this, and how the project stands
  bd onboard                         a section for AGENTS.md
  --json                             on any command: one JSON document

HELP
  bd help, bd COMMAND --help         bd doctor: is everything in order?
  bd completion bash                 completion, also for zsh and fish
`

/** What `onboard` puts into AGENTS.md. */
export const agentsSection = `## Issue tracking with bd

This project tracks its work with \`bd\` (issues in \`.beads/\`, carried by git). Do not keep TODO files or lists of tasks in
Markdown. At the start of a session run \`bd prime\`: it tells how the project stands and how to work.

- \`bd ready --json\`: what can be begun. \`bd ready --claim --json\` takes the first of it; \`bd claim ID\` takes another.
- \`bd create "Title" -t bug|feature|task|epic|chore -p 0-4 -d "why" --json\`; found while working on ID:
  \`--deps discovered-from:ID\`.
- \`bd update ID --append-notes "…"\`, \`bd comment ID "…"\`: what the next one should know.
- \`bd close ID --reason "what was done"\`, then commit \`.beads/\` together with the code.
- Priorities: 0 critical, 1 high, 2 medium, 3 low, 4 some day. \`bd dep add A B\`: B blocks A.
- \`--json\` on every command; \`bd help\` and \`bd COMMAND --help\` tell the rest.
`

/** `onboard`, with words around it. */
export const onboard = `
bd onboard: add the section below to AGENTS.md, or to the file in which your agents look for instructions.

--- BEGIN AGENTS.MD CONTENT ---
${agentsSection}--- END AGENTS.MD CONTENT ---

bd onboard --quiet prints the section alone: bd onboard --quiet >> AGENTS.md
`
