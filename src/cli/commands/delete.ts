import * as Effect from "effect/Effect"
import { type DeleteReport, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { remove } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Plural from "../Plural.ts"
import * as Prose from "../Prose.ts"

/** The classic's shapes: one issue by its id, several as arrays. */
const json = ({ already, deleted, dependenciesRemoved }: DeleteReport): Record<string, unknown> => {
  const gone = [...deleted, ...already]
  return gone.length === 1
    ? { deleted: gone[0], dependencies_removed: dependenciesRemoved, references_updated: 0 }
    : {
        deleted: gone,
        deleted_count: gone.length,
        dependencies_removed: dependenciesRemoved,
        references_updated: 0
      }
}

const text = ({ already, deleted, dependenciesRemoved }: DeleteReport): string =>
  [
    ...deleted.map(id => `✓ Deleted ${Escape.line(id)}`),
    ...already.map(id => `✓ ${Escape.line(id)} was deleted already`),
    ...(deleted.length === 0 ? [] : [`  Removed ${Plural.of(dependenciesRemoved, "dependency link")}`])
  ].join("\n")

/** Each id is tried by itself, so that one that does not exist keeps none of the others. */
const attempts = Effect.fnUntraced(function* (
  ids: ReadonlyArray<string>,
  options: Parameters<Tracker["Type"]["delete"]>[1]
) {
  const tracker = yield* Tracker
  return yield* Change.each(new Set(ids), id => tracker.delete([id], options))
})

const together = (reports: ReadonlyArray<DeleteReport>): DeleteReport => ({
  // what one takes along by --cascade may also be named itself
  deleted: [...new Set(reports.flatMap(({ deleted }) => deleted))],
  already: [...new Set(reports.flatMap(({ already }) => already))].filter(
    id => !reports.some(({ deleted }) => deleted.includes(id))
  ),
  dependenciesRemoved: reports.reduce((sum, { dependenciesRemoved }) => sum + dependenciesRemoved, 0)
})

/** What would go; spells out no command, for agents would run it (G32). */
const preview = Effect.fnUntraced(function* (ids: ReadonlyArray<string>, cascade: boolean) {
  const tracker = yield* Tracker
  const outcome = yield* attempts(ids, { cascade, dryRun: true })
  const { already, deleted, dependenciesRemoved } = together(outcome.done)
  const issues = yield* Effect.forEach(deleted, id => Effect.map(tracker.show(id), ({ issue }) => issue))
  yield* Change.finish(outcome, {
    json: () => ({
      dry_run: true,
      deleted,
      deleted_count: deleted.length,
      dependencies_removed: dependenciesRemoved,
      references_updated: 0
    }),
    text: () =>
      [
        "\n⚠️  DELETE PREVIEW\n",
        ...(issues.length === 0 ? [] : [issues.length === 1 ? "Issue to delete:" : "Issues to delete:"]),
        ...already.map(id => `${Escape.line(id)} was deleted already`),
        ...issues.map(({ id, title }) => `  ${Escape.line(id)}: ${Escape.line(title)}`),
        `\nWould remove: ${Plural.of(dependenciesRemoved, "dependency link")}`,
        "Nothing was deleted: that takes the flag for it, see the help.\n"
      ].join("\n")
  })
})

export const run = Effect.fn("bd.delete")(function* ({ args, flags }: Input<typeof remove>) {
  const file = flags["from-file"]
  const listed = file === undefined ? "" : yield* Prose.read({ _tag: "File", path: file })
  const ids = [
    ...args.ids,
    ...listed
      .split(/\r?\n/)
      .map(line => line.trim())
      .filter(line => line !== "" && !line.startsWith("#"))
  ]
  if (ids.length === 0) return yield* new UsageError({ detail: "ID is missing", hint: "usage: bd delete ID…" })
  if (!flags.force || flags["dry-run"]) return yield* preview(ids, flags.cascade)
  const reason = yield* Prose.readOptional(flags.reason)
  yield* Change.run(attempts(ids, { cascade: flags.cascade, ...(reason === undefined ? {} : { reason }) }), {
    json: reports => json(together(reports)),
    text: reports => text(together(reports))
  })
})
