import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as ConfigFile from "../ConfigFile.ts"
import * as Discovery from "../Discovery.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import { WorkingDirectory } from "../WorkingDirectory.ts"

export const run = Effect.fn("bd.where")(function* () {
  const path = yield* Path.Path
  const location = yield* Discovery.find(yield* WorkingDirectory)
  const prefix = (yield* ConfigFile.load(location.directory)).get(ConfigFile.prefixKey)
  const issueFile = path.join(location.directory, location.issueFile)
  yield* Output.answer({
    json: () => ({
      path: location.directory,
      database_path: location.database,
      issue_file: issueFile,
      ...(prefix === undefined ? {} : { prefix })
    }),
    text: () =>
      [
        Escape.line(location.directory),
        ...(prefix === undefined ? [] : [`  prefix: ${Escape.line(prefix)}`]),
        `  database: ${Escape.line(location.database)}`,
        `  issue file: ${Escape.line(issueFile)}`
      ].join("\n")
  })
})
