import * as Effect from "effect/Effect"
import { NotThereYet } from "../CliError.ts"

/** What the classic tool has and this one has not yet: said, and nothing done. */
export const run = (command: string) => Effect.fn("bd.later")(() => new NotThereYet({ what: `bd ${command}` }))
