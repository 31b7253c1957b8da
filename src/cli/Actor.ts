/**
 * Who makes a change: `--actor`, `BD_ACTOR`, git's `user.name`, `USER`.
 *
 * Asking git costs a process, so only commands that change something do.
 */
import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import { Environment, variable } from "./Environment.ts"
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
  return variable(yield* Environment, "USER") ?? "unknown"
})
