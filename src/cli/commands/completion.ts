import * as Effect from "effect/Effect"
import * as Completion from "../Completion.ts"
import * as Output from "../Output.ts"

export const run = (shell: Completion.Shell) =>
  Effect.fn("bd.completion")(function* () {
    const script = Completion.script(shell)
    yield* Output.answer({ json: () => ({ shell, script }), text: () => script })
  })
