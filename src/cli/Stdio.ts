/**
 * The standard streams, as the one edge through which `bd` speaks. Everything written is escaped here (G33), so no
 * command can forget to.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { FileUnusable } from "./CliError.ts"

export class Stdio extends Context.Tag("effect-beads/cli/Stdio")<
  Stdio,
  {
    /** Writes text to stdout, control characters made visible. A closed pipe is no error. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes bytes to stdout as they are: an export. */
    readonly outBytes: (bytes: Uint8Array) => Effect.Effect<void>
    /** Writes text to stderr, control characters made visible. */
    readonly err: (text: string) => Effect.Effect<void>
    /**
     * Shows a line on stderr in place of the one before; an empty one takes it away, and so does all else that is
     * written. None if stderr is no terminal.
     */
    readonly statusLine: ((text: string) => void) | undefined
    /** All of stdin. */
    readonly readAll: Effect.Effect<Uint8Array, FileUnusable>
  }
>() {}
