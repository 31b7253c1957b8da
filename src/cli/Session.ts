/** Where a command works and for whom, once both are known. */
import * as Context from "effect/Context"
import type { Location } from "./Discovery.ts"

export class Session extends Context.Tag("effect-beads/cli/Session")<
  Session,
  {
    readonly location: Location
    readonly actor: string
  }
>() {}
