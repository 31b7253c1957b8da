/** The small files beside the issue file (settings, metadata), written so that a crash never leaves half of one. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"

/** Replaces a file in one step. A killed process may leave a `.NAME.PID.tmp`, which git ignores. */
export const replace = Effect.fn("SmallFile.replace")(function* (file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`)
  yield* fs.writeFileString(temporary, text).pipe(
    Effect.andThen(fs.rename(temporary, file)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary)))
  )
})
