import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as ConfigFile from "../ConfigFile.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import { Project } from "../Project.ts"

export const run = Effect.fn("bd.where")(function* () {
  const path = yield* Path.Path
  const project = yield* Project
  const location = yield* project.location
  const prefix = (yield* project.config).get(ConfigFile.prefixKey)
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
