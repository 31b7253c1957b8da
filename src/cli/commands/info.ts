import * as Effect from "effect/Effect"
import { type StoreInfo, Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { info } from "../CommandTable.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import { Session } from "../Session.ts"
import * as Version from "../Version.ts"

/** The classic's shape. */
const schemaJson = ({ detectedPrefix, prefix, sampleIds, schema }: StoreInfo) => ({
  tables: schema.tables,
  schema_version: String(schema.version),
  config: { issue_prefix: prefix },
  sample_issue_ids: sampleIds,
  detected_prefix: detectedPrefix ?? ""
})

const schemaText = ({ detectedPrefix, prefix, sampleIds, schema }: StoreInfo): ReadonlyArray<string> => [
  "",
  "Schema Information:",
  `  Tables: ${schema.tables.join(", ")}`,
  `  Schema Version: ${schema.version}`,
  `  Issue Prefix: ${Escape.line(prefix)}`,
  ...(detectedPrefix === undefined ? [] : [`  Detected Prefix: ${Escape.line(detectedPrefix)}`]),
  ...(sampleIds.length === 0 ? [] : [`  Sample Issues: ${sampleIds.map(Escape.line).join(", ")}`])
]

export const run = Effect.fn("bd.info")(function* ({ flags }: Input<typeof info>) {
  if (flags["whats-new"]) {
    const { differences } = yield* Effect.promise(() => import("../WhatsNew.ts"))
    const { version } = Version.json
    return yield* Output.answer({
      json: () => ({ current_version: version, recent_changes: [{ version, changes: differences }] }),
      text: () =>
        [
          `\n${Version.line}\nWhat is different from the classic bd:\n`,
          ...differences.map(each => `- ${each}`),
          ""
        ].join("\n")
    })
  }
  const tracker = yield* Tracker
  const { location } = yield* Session
  const found = yield* tracker.info
  const config = yield* ConfigFile.load(location.directory)
  yield* Output.answer({
    json: () => ({
      config: Object.fromEntries(config),
      daemon_connected: false,
      daemon_fallback_reason: "flag_no_daemon",
      database_path: found.database,
      issue_count: found.issues,
      issue_file: found.issueFile,
      mode: "direct",
      tombstone_count: found.tombstones,
      unpublished_count: found.unpublished,
      ...(flags.schema ? { schema: schemaJson(found) } : {})
    }),
    text: () =>
      [
        "\nBeads Database Information",
        "===========================",
        `Database: ${Escape.line(found.database)}`,
        `Issue file: ${Escape.line(found.issueFile)}`,
        "Mode: direct",
        "",
        `Issue Count: ${found.issues}`,
        ...(found.unpublished === 0 ? [] : [`Not yet in the issue file: ${found.unpublished}`]),
        ...(flags.schema ? schemaText(found) : []),
        ""
      ].join("\n")
  })
})
