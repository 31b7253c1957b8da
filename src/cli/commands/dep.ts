import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { type LinkedIssue, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import { commands, type depAdd, type depBlockedBy, type depList, type depRemove } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import { nearest } from "../Nearest.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"

interface Added {
  readonly id: string
  readonly dependsOn: string
  readonly type: string
  readonly changed: boolean
}

const addedJson = ({ dependsOn, id, type }: Added) => ({
  depends_on_id: dependsOn,
  issue_id: id,
  status: "added",
  type
})

/** Who waits for whom, in words: people and agents mix up the order of the two ids. */
const meaning = (id: string, dependsOn: string, type: string): string => {
  switch (type) {
    case "blocks":
      return `${dependsOn} blocks ${id}`
    case "parent-child":
      return `${dependsOn} is the parent of ${id}`
    case "discovered-from":
      return `${id} was found while working on ${dependsOn}`
    default:
      return "neither blocks the other"
  }
}

const addedText = ({ changed, dependsOn, id, type }: Added): string => {
  const [a, b] = [Escape.line(id), Escape.line(dependsOn)]
  return changed
    ? `✓ Added dependency: ${a} depends on ${b} (${type}): ${meaning(a, b, type)}`
    : `✓ ${a} depends on ${b} (${type}) already: ${meaning(a, b, type)}`
}

const added = Effect.fnUntraced(function* (id: string, dependsOn: string, type: string) {
  const tracker = yield* Tracker
  const checked = yield* Issue.decodeDependencyType(type)
  return { ...(yield* tracker.addDependency(id, dependsOn, checked)), type: checked }
})

export const add = Effect.fn("bd.dep.add")(function* ({ args, flags }: Input<typeof depAdd>) {
  yield* Change.run(Change.one(added(args.id, args.dependsOn, flags.type ?? "blocks")), {
    json: ([link]) => (link === undefined ? null : addedJson(link)),
    text: links => links.map(addedText).join("\n")
  })
})

const subcommands = commands.flatMap(({ path }) => (path[0] === "dep" && path.length === 2 ? [path[1]] : []))

export const blockedBy = Effect.fn("bd.dep")(function* ({ args, flags }: Input<typeof depBlockedBy>) {
  const blockers = flags["blocked-by"] ?? []
  if (blockers.length === 0) {
    // whoever types a word and nothing else has more likely mistyped a command than forgotten the flag
    const near = nearest(args.id, subcommands)
    return yield* new UsageError(
      near === undefined
        ? { detail: "--blocked-by is missing", hint: "usage: bd dep ID --blocked-by ID; see bd dep --help" }
        : { detail: `unknown command ${JSON.stringify(`dep ${args.id}`)}`, hint: `did you mean "dep ${near}"?` }
    )
  }
  yield* Change.run(
    Change.each(blockers, blocker => added(args.id, blocker, "blocks")),
    {
      json: links => (blockers.length === 1 && links[0] !== undefined ? addedJson(links[0]) : links.map(addedJson)),
      text: links => links.map(addedText).join("\n")
    }
  )
})

export const remove = Effect.fn("bd.dep.remove")(function* ({ args, flags }: Input<typeof depRemove>) {
  const tracker = yield* Tracker
  yield* Change.run(Change.one(tracker.removeDependency(args.id, args.dependsOn, flags.type)), {
    json: ([link]) =>
      link === undefined ? null : { depends_on_id: link.dependsOn, issue_id: link.id, status: "removed" },
    text: links =>
      links
        .map(({ changed, dependsOn, id }) =>
          changed
            ? `✓ Removed dependency: ${Escape.line(id)} no longer depends on ${Escape.line(dependsOn)}`
            : `✓ ${Escape.line(id)} does not depend on ${Escape.line(dependsOn)}`
        )
        .join("\n")
  })
})

const linkLine = (arrow: string, { dependencyType, issue }: LinkedIssue): string =>
  `  ${arrow} ${Escape.line(issue.id)}: ${Escape.line(issue.title)} [P${issue.priority}] (${Escape.line(issue.status)}) via ${Escape.line(dependencyType)}`

export const list = Effect.fn("bd.dep.list")(function* ({ args, flags }: Input<typeof depList>) {
  const tracker = yield* Tracker
  const { dependencies, dependents, issue } = yield* tracker.show(args.id)
  const wanted = (type: string) => flags.type === undefined || flags.type === type
  const up = flags.direction === "up"
  const links = (up ? dependents : dependencies).filter(({ dependencyType }) => wanted(dependencyType))
  const known = new Set(dependencies.map(({ issue: target }) => target.id))
  const missing = up ? [] : issue.dependencies.filter(link => !known.has(link.depends_on_id) && wanted(link.type))
  const id = Escape.line(issue.id)
  yield* Output.answer({
    json: () => links.map(Render.linkedJson),
    text: () =>
      links.length + missing.length === 0
        ? `${id} has no ${up ? "dependents" : "dependencies"}${flags.type === undefined ? "" : " of this type"}`
        : [
            up ? `\nOn ${id} depend:\n` : `\n${id} depends on:\n`,
            ...links.map(link => linkLine(up ? "←" : "→", link)),
            ...missing.map(
              link => `  → ${Escape.line(link.depends_on_id)} (no such issue) via ${Escape.line(link.type)}`
            ),
            ""
          ].join("\n")
  })
})
