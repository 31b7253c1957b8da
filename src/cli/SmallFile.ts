/**
 * The small files beside the issue file (settings, metadata), written so that a crash never leaves half of one.
 *
 * They are read at once, every command reads some: by way of the thread pool that takes ten times as long.
 */
import * as Fs from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"

/** Far more than any of them has. */
const longest = 1 << 20

/** What a path leads to, links followed; none if there is nothing that could be looked at. */
export const stat = (file: string): Effect.Effect<Fs.Stats | undefined> =>
  Effect.sync(() => {
    try {
      return Fs.statSync(file, { throwIfNoEntry: false })
    } catch {
      return undefined
    }
  })

/**
 * The bytes of such a file; none if there is no file. A repository comes from somewhere else: a link to a device would
 * be read for ever (G33).
 */
export const read = (file: string): Effect.Effect<Uint8Array | undefined, FileUnusable> =>
  Effect.suspend(() => {
    const unusable = (detail: string, cause?: unknown) => Effect.fail(new FileUnusable({ path: file, detail, cause }))
    try {
      const found = Fs.statSync(file, { throwIfNoEntry: false })
      if (found === undefined) return Effect.succeed(undefined)
      if (!found.isFile()) return unusable("it is not a regular file")
      if (found.size > longest) return unusable("it is longer than such a file can be")
      return Effect.succeed(Fs.readFileSync(file))
    } catch (cause) {
      // git has taken it away since
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return Effect.succeed(undefined)
      return unusable("it cannot be read", cause)
    }
  }).pipe(Effect.withSpan("SmallFile.read"))

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
