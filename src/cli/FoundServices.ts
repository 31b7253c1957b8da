/** What a command runs on, in the `.beads` found from the working directory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Project } from "./Project.ts"
import * as Services from "./Services.ts"

export const layer = (options: Services.ServicesOptions) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const project = yield* Project
      return Services.layer(yield* project.location, yield* project.config, options)
    })
  )
