import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { AlreadyTold, UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import { checkNames, type validate } from "../CommandTable.ts"
import type { CommandError } from "../ExitCode.ts"
import * as Nearest from "../Nearest.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

type CheckName = (typeof checkNames)[number]

interface Result {
  readonly found: number
  readonly suggestions: ReadonlyArray<string>
  /** Why it could not be made. */
  readonly error?: string
}

const labels: Readonly<Record<CheckName, string>> = {
  orphans: "orphaned dependencies",
  duplicates: "duplicates",
  pollution: "test pollution",
  conflicts: "git conflicts"
}

const isCheck = (name: string): name is CheckName => checkNames.some(known => known === name)

const check = Effect.fnUntraced(function* (name: CheckName) {
  const tracker = yield* Tracker
  switch (name) {
    case "orphans": {
      const found = (yield* tracker.dangling).length
      return { found, suggestions: found === 0 ? [] : ["Run 'bd repair-deps' to review orphaned dependencies"] }
    }
    case "duplicates": {
      const found = (yield* tracker.duplicates).reduce((sum, { sources }) => sum + sources.length, 0)
      return { found, suggestions: found === 0 ? [] : ["Run 'bd duplicates' to review duplicate issues"] }
    }
    case "pollution": {
      const found = (yield* tracker.pollution).length
      return { found, suggestions: found === 0 ? [] : ["Run 'bd detect-pollution' to review test issues"] }
    }
    case "conflicts": {
      const lines = yield* tracker.unreadable
      return {
        found: lines.length,
        suggestions: lines.map(({ line, path, reason }) => `${path}, line ${line}: ${reason}`)
      }
    }
  }
})

/** A check that could not be made is told as such; it keeps none of the others from being made. */
const attempt = (name: CheckName) =>
  check(name).pipe(
    Effect.catchAll((error: CommandError) =>
      Effect.succeed<Result>({ found: 0, suggestions: [], error: error.message })
    ),
    Effect.map((result: Result) => ({ name, ...result }))
  )

/** Removes dependencies on what does not exist; how many. They hold nothing up, so nothing is decided by it. */
const fix = Effect.gen(function* () {
  const tracker = yield* Tracker
  let fixed = 0
  const removal = Effect.tap(tracker.removeDangling, removed => {
    fixed = removed.length
  })
  // what is found afterwards is the answer, and it tells of this too
  yield* Change.run(Change.one(removal), { json: () => undefined, text: () => "" }, { respond: () => Effect.void })
  return fixed
})

export const run = Effect.fn("bd.validate")(function* ({ flags }: Input<typeof validate>) {
  const asked = flags.checks ?? checkNames
  const unknown = asked.find(name => !isCheck(name))
  if (unknown !== undefined) {
    const near = Nearest.nearest(unknown, checkNames)
    return yield* new UsageError({
      detail: `unknown check ${JSON.stringify(unknown)}`,
      hint: near === undefined ? `the checks are ${checkNames.join(", ")}` : `did you mean ${near}?`
    })
  }
  const names = checkNames.filter(name => asked.includes(name))
  const fixed = flags["fix-all"] && names.includes("orphans") ? yield* fix : 0
  const result = yield* Effect.forEach(names, attempt)
  const found = result.reduce((sum, one) => sum + one.found, 0)
  const failed = result.some(({ error }) => error !== undefined)
  const suggestions = result.flatMap(one => one.suggestions)
  yield* Output.answer({
    json: () => ({
      checks: Object.fromEntries(
        result.map(one => [
          one.name,
          {
            issue_count: one.found,
            fixed_count: one.name === "orphans" ? fixed : 0,
            failed: one.error !== undefined,
            error: one.error ?? null,
            suggestions: one.suggestions
          }
        ])
      ),
      total_issues: found,
      total_fixed: fixed,
      healthy: found === 0 && !failed
    }),
    text: () =>
      [
        "\nValidation Results:",
        "===================",
        ...result.map(one =>
          one.error !== undefined
            ? `✗ ${labels[one.name]}: ERROR ${one.error}`
            : one.found === 0
              ? `✓ ${labels[one.name]}: OK`
              : `⚠ ${labels[one.name]}: ${one.found} found`
        ),
        "",
        ...(fixed > 0 ? [`✓ Removed ${fixed} orphaned dependencies`] : []),
        ...(found > 0
          ? [`⚠ Found ${Plural.of(found, "issue")}`]
          : failed
            ? ["✗ Not everything could be checked"]
            : ["✓ All checks passed!"]),
        ...(suggestions.length === 0 ? [] : ["\nRecommendations:", ...suggestions.map(text => `  - ${text}`)]),
        ""
      ].join("\n")
  })
  if (found > 0 || failed) return yield* new AlreadyTold({ exitCode: 1 })
})
