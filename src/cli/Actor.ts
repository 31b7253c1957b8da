/**
 * Who makes a change: `--actor`, `BD_ACTOR`, git's `user.name`, `USER`.
 *
 * Asking git costs a process, so only commands that change something do.
 */
import { execFile } from "node:child_process"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Settings } from "./Settings.ts"

/** `git config user.name`, which git reads from its environment and files; nothing if there is none, or no git. */
const gitUserName = Effect.async<string | undefined>(resume => {
  const child = execFile("git", ["config", "user.name"], { timeout: 5000 }, (error, stdout) => {
    const name = stdout.trim()
    resume(Effect.succeed(error !== null || name === "" ? undefined : name))
  })
  return Effect.sync(() => {
    child.kill()
  })
})

export const find = Effect.fn("Actor.find")(function* (options: { readonly mutates: boolean }) {
  const { actor } = yield* Settings
  if (actor !== undefined) return actor
  const fromGit = options.mutates ? yield* gitUserName : undefined
  if (fromGit !== undefined) return fromGit
  const user = yield* Effect.option(Config.string("USER"))
  return Option.getOrElse(
    Option.filter(user, name => name !== ""),
    () => "unknown"
  )
})
