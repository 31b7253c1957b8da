/**
 * A bar on the terminal for work that takes long (bd-contract.md "Output"): on stderr only, never with `--json` or
 * `--quiet`, and not before a second has passed, so that whoever pipes or works fast never sees it.
 */
import * as Effect from "effect/Effect"
import * as Progress from "../flush/Progress.ts"
import { Settings } from "./Settings.ts"
import { Stdio } from "./Stdio.ts"

/** From when on work is long, in milliseconds. */
const patience = 1_000

/** The shortest time between two drawings, in milliseconds. */
const rhythm = 100

const width = 30

const labels = {
  import: "Importing",
  export: "Exporting",
  reconcile: "Taking over the issue file",
  flush: "Writing the issue file"
} as const

const stages = { read: "reading", store: "storing", write: "writing", clear: "finishing" } as const

/** One state of the bar. */
export const render = ({ done, operation, stage, total }: Progress.ProgressEvent): string => {
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(part * width)
  return `${labels[operation]}, ${stages[stage]} [${"#".repeat(filled)}${".".repeat(width - filled)}] ${Math.floor(part * 100)} %`
}

/** What is to be drawn of what is told. `now`: in milliseconds. */
export const make = (now: () => number, draw: (text: string) => void): Progress.ProgressService["report"] => {
  const begun = now()
  let drawn = Number.NEGATIVE_INFINITY
  return event => {
    const at = now()
    if (at - begun < patience || at - drawn < rhythm) return
    drawn = at
    draw(render(event))
  }
}

/** The bar, on a terminal that shall have one; taken away when the scope closes. */
export const progress = Effect.gen(function* () {
  const { statusLine } = yield* Stdio
  const { json, quiet } = yield* Settings
  if (json || quiet) return Progress.callback(() => {})
  const clock = yield* Effect.clock
  yield* Effect.addFinalizer(() => Effect.sync(() => statusLine("")))
  return Progress.callback(make(() => clock.unsafeCurrentTimeMillis(), statusLine))
})
