import * as Effect from "effect/Effect"
import { type RenameReport, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { renamePrefix } from "../CommandTable.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Escape from "../Escape.ts"
import * as Plural from "../Plural.ts"
import * as Prefix from "../Prefix.ts"
import { Session } from "../Session.ts"

/** The classic's keys, and what becomes what. */
const json = ({ from, kept, renamed, to }: RenameReport, dryRun: boolean) => ({
  ...(dryRun ? { dry_run: true } : {}),
  old_prefix: from,
  new_prefix: to,
  issues_count: renamed.length,
  renamed,
  kept
})

const keeping = ({ kept }: RenameReport): ReadonlyArray<string> =>
  kept.length === 0
    ? []
    : [
        `  ${kept.length} of a longer prefix keep their ids, --from renames them: ${kept.slice(0, 5).map(Escape.line).join(", ")}`
      ]

const preview = (report: RenameReport): string => {
  const { from, renamed, to } = report
  return [
    `DRY RUN: Would rename ${Plural.of(renamed.length, "issue")} from prefix '${Escape.line(from)}' to '${Escape.line(to)}'`,
    ...(renamed.length === 0 ? [] : ["\nSample changes:"]),
    ...renamed.slice(0, 5).map(pair => `  ${Escape.line(pair.from)} -> ${Escape.line(pair.to)}`),
    ...keeping(report)
  ].join("\n")
}

export const run = Effect.fn("bd.rename-prefix")(function* ({ args, flags }: Input<typeof renamePrefix>) {
  const tracker = yield* Tracker
  const { location } = yield* Session
  const to = yield* Prefix.decode(args.prefix)
  const dryRun = flags["dry-run"]
  const attempt = tracker.renamePrefix(to, { dryRun, ...(flags.from === undefined ? {} : { from: flags.from }) })
  if (dryRun) {
    return yield* Change.finish(yield* Change.one(attempt), {
      json: ([report]) => (report === undefined ? null : json(report, true)),
      text: reports => reports.map(preview).join("\n")
    })
  }
  // new ids get the new prefix; told only once the issues have it, and again when the command is repeated
  const remembered = attempt.pipe(
    Effect.tap(() => ConfigFile.change(location.directory, text => ConfigFile.set(text, ConfigFile.prefixKey, to)))
  )
  yield* Change.run(Change.one(remembered), {
    json: ([report]) => (report === undefined ? null : json(report, false)),
    text: reports =>
      reports
        .flatMap(report => [
          `✓ Renamed ${Plural.of(report.renamed.length, "issue")} from prefix ${Escape.line(report.from)} to ${Escape.line(to)}`,
          ...keeping(report)
        ])
        .join("\n")
  })
})
