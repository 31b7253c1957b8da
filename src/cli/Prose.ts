/**
 * The text of a field: given on the command line, read from stdin (`-`) or from a file (`--…-file`).
 *
 * One line end at the end is dropped, as a shell's `$(…)` would: it comes from the editor or `echo`, not from the author.
 */
import { isUtf8 } from "node:buffer"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"
import type { Prose } from "./CommandSpec.ts"
import * as InputFile from "./InputFile.ts"

const decode = (bytes: Uint8Array, path: string) =>
  isUtf8(bytes)
    ? Effect.succeed(
        Buffer.from(bytes)
          .toString("utf8")
          .replace(/\r?\n$/, "")
      )
    : Effect.fail(new FileUnusable({ path, detail: "it is not UTF-8 text" }))

/** The text of a field. */
export const read = Effect.fn("Prose.read")(function* (source: Prose) {
  if (source._tag === "Given") return source.text
  const path = source._tag === "Stdin" ? "-" : source.path
  return yield* decode(yield* InputFile.read(path), path === "-" ? "stdin" : path)
})

/** As `read`, of a field that may not be given. */
export const readOptional = (source: Prose | undefined) =>
  source === undefined ? Effect.succeed(undefined) : read(source)
