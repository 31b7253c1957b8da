/** What a command runs on, in the `.beads` found from the working directory. */
import * as Effect from "effect/Effect"
import { Project } from "./Project.ts"
import * as Services from "./Services.ts"

/** As `Services.provide`, there. */
export const provide =
  (options: Services.ServicesOptions) =>
  <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const project = yield* Project
      return yield* Services.provide(yield* project.location, yield* project.config, options)(work)
    })
