import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { type StoreInfo, Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { migrate } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import { Session } from "../Session.ts"
import * as Version from "../Version.ts"

/** What a migration leaves alone. */
const invariants = ["issue_lines_unchanged", "dirty_marks_kept", "audit_trail_kept"] as const

/** The classic's shape. */
const inspectionJson = ({ issues, prefix, schema }: StoreInfo) => ({
  registered_migrations: schema.migrations,
  current_state: {
    schema_version: String(schema.version),
    issue_count: issues,
    config: { issue_prefix: prefix },
    missing_config: [],
    db_exists: true
  },
  warnings: [],
  invariants_to_check: invariants
})

const inspectionText = ({ issues, prefix, schema }: StoreInfo): string =>
  [
    "\nMigration Inspection",
    "====================",
    `Schema Version: ${schema.version}`,
    `Issue Count: ${issues}`,
    `Issue Prefix: ${Escape.line(prefix)}`,
    "",
    `Registered Migrations (${schema.migrations.length}, all applied):`,
    ...schema.migrations.map(({ description, name }) => `  ✓ ${name}: ${description}`),
    ""
  ].join("\n")

export const run = Effect.fn("bd.migrate")(function* ({ flags }: Input<typeof migrate>) {
  const tracker = yield* Tracker
  const path = yield* Path.Path
  const { location } = yield* Session
  const found = yield* tracker.info
  if (flags.inspect) {
    return yield* Output.answer({ json: () => inspectionJson(found), text: () => inspectionText(found) })
  }
  // the store was brought to this version when it was opened, as by any command
  yield* Output.answer({
    json: () => ({
      status: "success",
      current_database: path.basename(location.database),
      version: Version.json.version,
      schema_version: found.schema.version,
      migrated: false,
      version_updated: false,
      cleaned_up: false
    }),
    text: () => `✓ Nothing to do: the store is at schema version ${found.schema.version}, as every command keeps it`
  })
})
