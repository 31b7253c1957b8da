/** The small files beside the issue file (settings, metadata), written so that a crash never leaves half of one. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"

/** Far more than any of them has. */
const longest = 1n << 20n

const notFound = (error: { readonly _tag: string; readonly reason?: unknown }): boolean =>
  error._tag === "SystemError" && error.reason === "NotFound"

/**
 * The bytes of such a file; none if there is no file. A repository comes from somewhere else: a link to a device would
 * be read for ever (G33).
 */
export const read = Effect.fn("SmallFile.read")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.gen(function* () {
    const { size, type } = yield* fs.stat(file)
    if (type !== "File") return yield* new FileUnusable({ path: file, detail: "it is not a regular file" })
    if (size > longest) return yield* new FileUnusable({ path: file, detail: "it is longer than such a file can be" })
    return yield* fs.readFile(file)
  }).pipe(
    Effect.catchIf(notFound, () => Effect.succeed(undefined)),
    Effect.mapError(cause =>
      cause._tag === "FileUnusable" ? cause : new FileUnusable({ path: file, detail: "it cannot be read", cause })
    )
  )
})

/**
 * As `read`, for who is about to replace the file, and refuses a link: what it leads to, a secret perhaps, would stand
 * in the file afterwards, and be committed.
 */
export const readOwn = Effect.fn("SmallFile.readOwn")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const isLink = yield* Effect.isSuccess(fs.readLink(file))
  return yield* isLink ? new FileUnusable({ path: file, detail: "it is a link, and left as it is" }) : read(file)
})

/** Bytes as text. */
export const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "" : new TextDecoder().decode(bytes)

/** Replaces a file in one step. A killed process may leave a `.NAME.PID.tmp`, which git ignores. */
export const replace = Effect.fn("SmallFile.replace")(function* (file: string, content: string | Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`)
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  yield* fs.writeFile(temporary, bytes).pipe(
    Effect.andThen(fs.rename(temporary, file)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary)))
  )
})
