/** A file that the user named, to read from. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"
import { Stdio } from "./Stdio.ts"

/** Files and pipes come to an end; a device may not, and a directory has no text (G33). */
const unreadableKinds: Readonly<Record<string, string>> = {
  Directory: "it is a directory",
  BlockDevice: "it is a device",
  CharacterDevice: "it is a device"
}

/** All of it; `-` is stdin. */
export const read = Effect.fn("InputFile.read")(function* (path: string) {
  const stdio = yield* Stdio
  const fs = yield* FileSystem.FileSystem
  if (path === "-") return yield* stdio.readAll
  const bytes = Effect.gen(function* () {
    const detail = unreadableKinds[(yield* fs.stat(path)).type]
    if (detail !== undefined) return yield* new FileUnusable({ path, detail })
    return yield* fs.readFile(path)
  })
  return yield* Effect.mapError(bytes, error =>
    error._tag === "FileUnusable"
      ? error
      : new FileUnusable({
          path,
          detail: error._tag === "SystemError" && error.reason === "NotFound" ? "no such file" : "it cannot be read",
          cause: error
        })
  )
})
