import * as Effect from "effect/Effect"
import { type DanglingDependency, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { repairDeps } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

/** The classic's shape. */
const json = (found: ReadonlyArray<DanglingDependency>) => ({
  orphans: found.map(({ dependsOn, id, type }) => ({ issue_id: id, depends_on_id: dependsOn, type })),
  orphans_found: found.length
})

const none = "\n✓ No orphaned dependencies found\n"

const lines = (found: ReadonlyArray<DanglingDependency>): ReadonlyArray<string> =>
  found.map(
    ({ dependsOn, id, type }) =>
      `  ${Escape.line(id)}: depends on ${Escape.line(dependsOn)} (${Escape.line(type)}), which does not exist`
  )

export const run = Effect.fn("bd.repair-deps")(function* ({ flags }: Input<typeof repairDeps>) {
  const tracker = yield* Tracker
  if (!flags.fix) {
    const found = yield* tracker.dangling
    return yield* Output.answer({
      json: () => json(found),
      text: () =>
        found.length === 0
          ? none
          : [
              `\n⚠ Found ${Plural.of(found.length, "orphaned dependency", "orphaned dependencies")}:\n`,
              ...lines(found),
              "\nThey hold nothing up. Run with --fix to remove them\n"
            ].join("\n")
    })
  }
  yield* Change.run(Change.one(tracker.removeDangling), {
    json: ([found = []]) => ({ ...json(found), fixed: found.length }),
    text: ([found = []]) =>
      found.length === 0
        ? none
        : [
            `✓ Removed ${Plural.of(found.length, "orphaned dependency", "orphaned dependencies")}:`,
            ...lines(found)
          ].join("\n")
  })
})
