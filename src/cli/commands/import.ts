import * as Effect from "effect/Effect"
import { type ImportReport, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { importIssues } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as InputFile from "../InputFile.ts"
import * as Output from "../Output.ts"
import { Settings } from "../Settings.ts"

const json = (report: ImportReport, dryRun: boolean) => ({
  dry_run: dryRun,
  created: report.created,
  deleted: report.deleted,
  updated: report.updated,
  unchanged: report.unchanged,
  skipped: report.skipped,
  pruned: report.pruned,
  dangling: report.dangling.map(({ dependsOn, id }) => ({ issue_id: id, depends_on_id: dependsOn })),
  renamed: report.renamed,
  prefix_renamed: report.prefixRenamed
})

/** Each, as long as they are few: `--json` has all. */
const renamings = ({ prefixRenamed }: ImportReport, dryRun: boolean): ReadonlyArray<string> => {
  if (prefixRenamed.length === 0) return []
  const shown = prefixRenamed.slice(0, 10).map(({ from, to }) => `    ${Escape.line(from)} → ${Escape.line(to)}`)
  const more = prefixRenamed.length - shown.length
  return [
    `  ${prefixRenamed.length} ${dryRun ? "would get" : "got"} ids of this project:`,
    ...shown,
    ...(more === 0 ? [] : [`    and ${more} more`])
  ]
}

const text = (report: ImportReport, dryRun: boolean): string => {
  const counts = [
    `${report.created} created`,
    ...(report.deleted === 0 ? [] : [report.deleted === 1 ? "1 deletion" : `${report.deleted} deletions`]),
    `${report.updated} updated`,
    `${report.unchanged} unchanged`,
    ...(report.skipped === 0 ? [] : [`${report.skipped} skipped`]),
    ...(report.pruned.length === 0 ? [] : [`${report.pruned.length} let go`])
  ].join(", ")
  return [
    `${dryRun ? "Would import" : "Import complete"}: ${counts}`,
    ...report.renamed.map(({ from, to }) => `  ${Escape.line(from)} was created twice; one is now ${Escape.line(to)}`),
    ...renamings(report, dryRun),
    ...report.dangling.map(
      ({ dependsOn, id }) => `  ${Escape.line(id)} depends on ${Escape.line(dependsOn)}, which does not exist`
    ),
    ...(dryRun ? ["Dry-run mode: no changes made"] : [])
  ].join("\n")
}

export const run = Effect.fn("bd.import")(function* ({ flags }: Input<typeof importIssues>) {
  const tracker = yield* Tracker
  const settings = yield* Settings
  const dryRun = flags["dry-run"]
  const bytes = yield* InputFile.read(flags.input ?? "-")
  const reports: Array<ImportReport> = []
  const attempt = tracker
    .import(bytes, {
      dryRun,
      strict: flags.strict,
      skipExisting: flags["skip-existing"],
      renameOnImport: flags["rename-on-import"],
      prune: flags.prune,
      source: flags.input ?? "stdin"
    })
    .pipe(Effect.tap(report => Effect.sync(() => reports.push(report))))
  const forms = {
    json: ([report]: ReadonlyArray<ImportReport>) => (report === undefined ? null : json(report, dryRun)),
    text: () => ""
  }
  yield* dryRun
    ? Effect.flatMap(Change.one(attempt), done => Change.finish(done, forms))
    : Change.run(Change.one(attempt), forms)
  // the classic tells it on stderr
  if (!settings.quiet) yield* Effect.forEach(reports, report => Output.note(text(report, dryRun)), { discard: true })
  if (flags["dedupe-after"] && !dryRun) {
    const groups = yield* tracker.duplicates
    yield* Output.note(
      groups.length === 0
        ? "No duplicates found"
        : [
            `Open issues of equal content (bd duplicates tells more):`,
            ...groups.map(
              ({ sources, target }) => `  ${[target, ...sources].map(({ id }) => Escape.line(id)).join(", ")}`
            )
          ].join("\n")
    )
  }
})
