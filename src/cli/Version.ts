/**
 * The versions: of the `bd` command line that front ends ask for, and our own.
 *
 * The build puts its own facts in by `define`; run from source they are absent.
 */

declare const __EFFECT_BEADS_VERSION__: string | undefined
declare const __EFFECT_BEADS_COMMIT__: string | undefined
declare const __EFFECT_BEADS_BRANCH__: string | undefined

/** Front ends match `bd version (\d+)\.(\d+)\.(\d+)` at the start of the line and want 1.0.5 or later. */
const bdVersion = "1.0.5"

const own = typeof __EFFECT_BEADS_VERSION__ === "string" ? __EFFECT_BEADS_VERSION__ : "0.0.0"

/** The first line of `bd version`. */
export const line = `bd version ${bdVersion} (effect-beads ${own})`

export const json = {
  version: bdVersion,
  build: "effect-beads",
  commit: typeof __EFFECT_BEADS_COMMIT__ === "string" ? __EFFECT_BEADS_COMMIT__ : "",
  branch: typeof __EFFECT_BEADS_BRANCH__ === "string" ? __EFFECT_BEADS_BRANCH__ : "",
  effect_beads: own
} as const
