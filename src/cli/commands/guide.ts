import * as Effect from "effect/Effect"
import * as Guide from "../Guide.ts"
import * as Output from "../Output.ts"
import { Settings } from "../Settings.ts"

export const quickstart = Effect.fn("bd.quickstart")(() =>
  Output.answer({ json: () => ({ text: Guide.quickstart }), text: () => Guide.quickstart })
)

export const onboard = Effect.fn("bd.onboard")(function* () {
  const { quiet } = yield* Settings
  yield* Output.answer({
    json: () => ({ file: "AGENTS.md", content: Guide.agentsSection }),
    text: () => (quiet ? Guide.agentsSection : Guide.onboard)
  })
})
