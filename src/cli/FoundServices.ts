/** What a command runs on, in the `.beads` found from the working directory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Discovery from "./Discovery.ts"
import * as Services from "./Services.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

export const layer = (options: Services.ServicesOptions) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const location = yield* Discovery.find(yield* WorkingDirectory)
      return Services.layer(location, options)
    })
  )
