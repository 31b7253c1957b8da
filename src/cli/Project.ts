/** The `.beads` that a command line is about and the settings in it: looked for once, and only if something asks. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { WorkspaceInvalid, WorkspaceNotFound } from "./CliError.ts"
import type { Location } from "./Discovery.ts"
import type { Environment } from "./Environment.ts"
import type { Settings } from "./Settings.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

export class Project extends Context.Tag("effect-beads/cli/Project")<
  Project,
  {
    readonly location: Effect.Effect<Location, WorkspaceNotFound | WorkspaceInvalid>
    /** What `config.yaml` says, as it was when it was first asked for. */
    readonly config: Effect.Effect<ReadonlyMap<string, string>, WorkspaceNotFound | WorkspaceInvalid>
  }
>() {}

/** By what flag and environment say, else from the working directory upwards. */
export const make = Effect.gen(function* () {
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path | Settings | Environment | WorkingDirectory>()
  const location = yield* Effect.cached(
    Effect.gen(function* () {
      const Discovery = yield* Effect.promise(() => import("./Discovery.ts"))
      return yield* Discovery.find(yield* WorkingDirectory)
    }).pipe(Effect.provide(context))
  )
  const config = yield* Effect.cached(
    Effect.gen(function* () {
      const ConfigFile = yield* Effect.promise(() => import("./ConfigFile.ts"))
      return yield* ConfigFile.load((yield* location).directory)
    }).pipe(Effect.provide(context))
  )
  return Project.of({ location, config })
})
