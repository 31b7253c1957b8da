/**
 * The standard streams, as the one edge through which `bd` speaks. Everything written is escaped here (G33), so no
 * command can forget to.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { FileUnusable } from "./CliError.ts"
import type { Escaped } from "./Escape.ts"

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "boldRed"

/** Text with parts that are set off. It is escaped as all text is; the styles are put round it at the very edge. */
export type Styled = ReadonlyArray<string | { readonly text: string; readonly style: Style }>

/** A terminal that is written to. */
export interface Screen {
  /** In cells; none: not known. */
  readonly columns: number | undefined
  readonly colours: boolean
}

export class Stdio extends Context.Tag("effect-beads/cli/Stdio")<
  Stdio,
  {
    /** Writes text to stdout, control characters made visible. A closed pipe is no error. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes JSON text, made by `JSON.stringify`, to stdout: control characters escaped as JSON has it. */
    readonly outJson: (json: string) => Effect.Effect<void>
    /** Writes to stdout, one after another, what was escaped before: an answer too long to be one text. */
    readonly outEscaped: (parts: ReadonlyArray<Escaped>) => Effect.Effect<void>
    /** As `out`, for a screen with colours. */
    readonly outStyled: (text: Styled) => Effect.Effect<void>
    /** What stdout is shown on; none: it is a pipe or a file. Asked when somebody draws for it: to know takes time. */
    readonly screen: () => Screen | undefined
    /** Writes bytes to stdout as they are, one after another: an export. */
    readonly outBytes: (parts: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
    /** Writes text to stderr, control characters made visible. */
    readonly err: (text: string) => Effect.Effect<void>
    /**
     * Shows a line on stderr in place of the one before; an empty one takes it away, and so does all else that is
     * written. Does nothing if stderr is no terminal.
     */
    readonly statusLine: (text: string) => void
    /** All of stdin. */
    readonly readAll: Effect.Effect<Uint8Array, FileUnusable>
  }
>() {}
