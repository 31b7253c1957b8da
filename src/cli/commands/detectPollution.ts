import * as Effect from "effect/Effect"
import * as Pollution from "../../domain/Pollution.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { detectPollution } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

const isLikely = ({ score }: Pollution.Suspect): boolean => score >= Pollution.likely

/** The classic's shape. */
const json = (suspects: ReadonlyArray<Pollution.Suspect>) => ({
  polluted_count: suspects.length,
  high_confidence: suspects.filter(isLikely).length,
  medium_confidence: suspects.filter(suspect => !isLikely(suspect)).length,
  issues: suspects.map(({ issue, reasons, score }) => ({
    id: issue.id,
    title: issue.title,
    score,
    reasons,
    created_at: issue.created_at
  }))
})

const section = (title: string, suspects: ReadonlyArray<Pollution.Suspect>): ReadonlyArray<string> =>
  suspects.length === 0
    ? []
    : [
        `${title} (${suspects.length}):`,
        ...suspects.map(
          ({ issue, reasons, score }) =>
            `  ${Escape.line(issue.id)}: ${Escape.line(issue.title)} (score ${score.toFixed(2)}: ${reasons.join("; ")})`
        ),
        ""
      ]

const text = (suspects: ReadonlyArray<Pollution.Suspect>): string =>
  suspects.length === 0
    ? "No test pollution detected!"
    : [
        `Found ${Plural.of(suspects.length, "potential test issue")}:\n`,
        ...section("High confidence", suspects.filter(isLikely)),
        ...section(
          "Medium confidence",
          suspects.filter(suspect => !isLikely(suspect))
        )
      ].join("\n")

export const run = Effect.fn("bd.detect-pollution")(function* ({ flags }: Input<typeof detectPollution>) {
  const tracker = yield* Tracker
  const suspects = yield* tracker.pollution
  if (!flags.clean || !flags.yes) {
    const preview = flags.clean && suspects.length > 0
    return yield* Output.answer({
      json: () => ({ ...json(suspects), ...(preview ? { dry_run: true } : {}) }),
      text: () =>
        `${text(suspects)}${preview ? "\nNothing was deleted: read the list first; the help names the flag that confirms it." : ""}`
    })
  }
  const reason = "Test pollution"
  yield* Change.run(
    Change.each(suspects, ({ issue }) => Effect.as(tracker.delete([issue.id], { reason }), issue)),
    {
      json: deleted => ({ ...json(suspects), deleted: deleted.map(({ id }) => id), deleted_count: deleted.length }),
      text: deleted =>
        deleted.length === 0
          ? text([])
          : [
              ...deleted.map(({ id, title }) => `✓ Deleted ${Escape.line(id)}: ${Escape.line(title)}`),
              "bd undelete brings them back"
            ].join("\n")
    }
  )
})
