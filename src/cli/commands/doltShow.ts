import * as Effect from "effect/Effect"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import { Project } from "../Project.ts"

/** What vscode-beads reads before it chooses: `embedded` makes it use `bd`, all else a server. */
export const run = Effect.fn("bd.dolt.show")(function* () {
  const project = yield* Project
  const { database } = yield* project.location
  yield* Output.answer({
    json: () => ({ backend: "sqlite", mode: "embedded", embedded: true, database }),
    text: () => `There is no Dolt here: the store is SQLite, embedded in each bd (${Escape.line(database)})`
  })
})
